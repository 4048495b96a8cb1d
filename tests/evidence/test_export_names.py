"""The names of an export: never those of another file, whoever writes there meanwhile, and on sticks that know no links."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from agent.base.errors import EvidenceError
from agent.evidence.extraction import extract
from agent.evidence.verification import judge_film
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.journal.entry import Act, Fact
from tests.support.recordings import Recordings
from tests.support.signed_recordings import SignedRecordings


@pytest.fixture
def node(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> SignedRecordings:
    """Two seconds of footage."""
    made = SignedRecordings(Recordings(tmp_path / "state"), signer, node_ca, tmp_path / "export.mp4")
    made.record(2)
    return made


class AnotherIsFaster:
    """Somebody else's file gets a name while this export makes its entry."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def enter(self, act: Act, by: str, facts: dict[str, Fact]) -> None:
        self._path.write_bytes(b"another export")


def _without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("name", ["export.mp4", "export.html"])
def test_a_name_that_is_taken_meanwhile_is_left_to_the_other(
    node: SignedRecordings, monkeypatch: pytest.MonkeyPatch, name: str, links: bool
) -> None:
    """The other file stays, and of this export neither film nor sheet."""
    if not links:
        _without_links(monkeypatch)
    other = node.out.parent / name
    with pytest.raises(EvidenceError, match=f"{name}: exists already"):
        node.export(0, 2, journal=AnotherIsFaster(other))
    assert other.read_bytes() == b"another export"
    assert [path.name for path in node.out.parent.iterdir() if "export" in path.name] == [name]


def test_an_export_that_comes_second_is_not_entered(node: SignedRecordings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The register tells of no export that nobody has."""

    def check(*_: object) -> None:
        node.out.write_bytes(b"another export")

    monkeypatch.setattr("agent.evidence.export.verify", check)
    before = node.recordings.register.path.read_bytes()
    with pytest.raises(EvidenceError, match="exists already"):
        node.export(0, 2)
    assert node.recordings.register.path.read_bytes() == before


def test_a_stick_that_knows_no_links_takes_films(
    node: SignedRecordings, node_ca: CertificateChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT: exports and what is extracted out of them."""
    _without_links(monkeypatch)
    film = node.export(0, 2).film
    out = node.out.parent / "extracted.mp4"
    assert extract(film, judge_film(film, node_ca).verified, out).pictures > 0
    assert sorted(path.suffix for path in node.out.parent.iterdir() if path.is_file()) == [".html", ".mp4", ".mp4"]
