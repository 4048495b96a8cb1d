"""What lies in a film's place: a pipe is never waited for, a link not followed, another film not taken for the recorded one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.base.errors import EvidenceError
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from tests.support.recordings import Recordings
from tests.support.signed_recordings import SignedRecordings


@pytest.fixture
def node(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> SignedRecordings:
    """Three segments of four seconds."""
    made = SignedRecordings(Recordings(tmp_path / "state"), signer, node_ca, tmp_path / "export.mp4")
    made.record(12)
    return made


PLANTED: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "a pipe": (lambda place, _: os.mkfifo(place), "segment file missing"),
    "a link": (lambda place, other: place.symlink_to(other), "segment file missing"),
    "another film": (lambda place, other: shutil.copy(other, place), "another film lies in the segment's place"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_lies_in_a_segments_place_is_not_exported_for_it(node: SignedRecordings, what: str) -> None:
    """The rest is authentic; what lacks is told with its times."""
    plant, why = PLANTED[what]
    row = node.recordings.rows()[1]
    row.path.unlink()
    plant(row.path, node.recordings.rows()[2].path)
    exported = node.export(0, 12)
    assert exported.report is not None
    assert exported.report.verdict is Verdict.MISSING
    assert (row.wall_from_ns, row.wall_to_ns, why) in [(a.from_ns, a.to_ns, a.why) for a in exported.contents.absences]


@pytest.mark.parametrize("place", ["pipe", "/dev/zero", "nothing"])
def test_what_is_no_file_is_no_film(tmp_path: Path, node_ca: CertificateChain, place: str) -> None:
    """One clear line, at once."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(EvidenceError, match=r"regular file|No such file"):
        verify(tmp_path / place, node_ca)
