"""Films that play faster or slower than they were recorded: every picture is there, and a note says what players make of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.evidence.report import Report
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.picture.access_unit import AccessUnit
from tests.support.recordings import Recordings
from tests.support.signed_film import encode, sign, write
from tests.support.signed_recordings import SignedRecordings

MS = 1_000_000


@pytest.fixture(scope="module", params=[0, 2])
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, signer: NodeSigner) -> list[AccessUnit]:
    """Four seconds, with and without pictures out of order."""
    return sign(encode(tmp_path_factory.mktemp("film") / "plain.mp4", gop=5, b_frames=request.param), signer)


def _played(units: list[AccessUnit], first: int, last: int, apart_ns: int, path: Path, ca: CertificateChain) -> Report:
    """The verdict when these pictures, from a keyframe to before another, are so far apart, and all others as recorded."""
    begins, ends = units[first].pts_ns, units[last + 1].pts_ns
    spread_ns = (last + 1 - first) * apart_ns

    def moved(at_ns: int) -> int:
        inside = min(max(at_ns - begins, 0), ends - begins)
        return at_ns - inside + inside * spread_ns // (ends - begins)

    retimed = [replace(unit, dts_ns=moved(unit.dts_ns), pts_ns=moved(unit.pts_ns)) for unit in units]
    return verify(write(retimed, path), ca)


def test_a_film_as_it_was_recorded_bears_no_note(tmp_path: Path, film: list[AccessUnit], node_ca: CertificateChain) -> None:
    """Whatever the order of its pictures."""
    assert not _said(_played(film, 5, 9, 100 * MS, tmp_path / "film.mp4", node_ca))


@pytest.mark.parametrize("apart_ns", [2 * MS, 1000 * MS])
def test_pictures_that_flash_by_or_stand_still_are_told(
    tmp_path: Path, film: list[AccessUnit], node_ca: CertificateChain, apart_ns: int
) -> None:
    """Fifteen of them in the midst of the film, of which a screen shows two, or which last for as many seconds."""
    (said,) = _said(_played(film, 10, 24, apart_ns, tmp_path / "film.mp4", node_ca))
    assert said.startswith("pictures 10 to 24 play for ")
    assert "the signatures say 1.5 s" in said


def test_an_export_is_dated_by_its_seal(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """No note, sealed or not: it plays as it was recorded."""
    node = SignedRecordings(Recordings(tmp_path / "state"), signer, node_ca, tmp_path / "export.mp4")
    node.record(6)
    for sealed in (True, False):
        assert not _said(verify(node.export(0, 6, sealed=sealed, out=tmp_path / f"{sealed}.mp4").film, node_ca))


def _said(report: Report) -> list[str]:
    assert report.verdict.value == "authentic", report.reason
    return [note for note in report.notes if "play for" in note]
