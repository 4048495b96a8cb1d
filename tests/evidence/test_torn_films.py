"""A card that was pulled, or a copy that was not finished: what is whole is judged, the end is told, and nothing is accused."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli import vigie
from agent.evidence.boxes import top_boxes
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from bench.clocked_node import ClockedNode, Stream


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> ClockedNode:
    """One that recorded ten seconds."""
    made = ClockedNode(tmp_path_factory.mktemp("node"))
    made.live(Stream(10, 1, 60, None), 10)
    return made


def fragments(path: Path) -> list[tuple[int, int, int]]:
    """Beginning of each `moof`, beginning and end of its `mdat`."""
    with path.open("rb") as file:
        boxes = list(top_boxes(file, path.name))
    return [(a.start, b.start, b.end) for a, b in pairwise(boxes) if a.kind == b"moof"]


@pytest.fixture(params=["segment", "export"])
def film(request: pytest.FixtureRequest, node: ClockedNode) -> tuple[bytes, Path, CertificateChain]:
    """Content of a film, where it lies, and whom to trust."""
    path = node.rows()[0].path if request.param == "segment" else node.export().film
    return path.read_bytes(), path, node.identity.anchors()


@pytest.mark.parametrize("where", ["head of moof", "moof", "between", "head of mdat", "mdat", "last byte"])
def test_what_is_whole_is_judged(tmp_path: Path, film: tuple[bytes, Path, CertificateChain], where: str) -> None:
    """Torn anywhere in a fragment: the fragments before it are authentic but for the GOP under way, and the rest is counted."""
    content, path, anchors = film
    moof, mdat, end = fragments(path)[-2]
    before = fragments(path)[-3][2]
    at = {
        "head of moof": moof + 5, "moof": moof + 40, "between": mdat, "head of mdat": mdat + 5,
        "mdat": (mdat + end) // 2, "last byte": end - 1,
    }[where]  # fmt: skip
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(content[:at])
    report = verify(torn, anchors)
    assert report.verdict is Verdict.NOT_TOLD, report.reason
    assert f"its last {at - before} bytes" in report.reason
    assert (report.changed, report.missing_units) == (0, 0)
    assert report.authentic > 60
    assert report.pending <= 10
    assert report.seal is None or report.seal.intact is None


@pytest.mark.parametrize("zeros", [100, 4096])
def test_blocks_that_were_never_written_accuse_nobody(
    tmp_path: Path, film: tuple[bytes, Path, CertificateChain], zeros: int
) -> None:
    """A file as long as it should be, or longer, whose end is zeros."""
    content, path, anchors = film
    _, mdat, end = fragments(path)[-2]
    torn = tmp_path / "torn.mp4"
    for left in (content[: end - 70] + bytes(70), content[: mdat + 30] + bytes(zeros), content[:end] + bytes(zeros)):
        torn.write_bytes(left)
        report = verify(torn, anchors)
        assert report.verdict is Verdict.NOT_TOLD, report.reason
        assert (report.changed, report.missing_units) == (0, 0)
        assert "no whole fragment" in report.reason


def test_a_forged_picture_stays_forged_in_a_torn_film(tmp_path: Path, node: ClockedNode) -> None:
    """To tear a film excuses nothing of what is left of it."""
    path = node.rows()[0].path
    content = bytearray(path.read_bytes())
    _, mdat, end = fragments(path)[1]
    content[(mdat + end) // 2] ^= 1
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(content[:-30])
    assert verify(torn, node.identity.anchors()).verdict is Verdict.NOT_AUTHENTIC


def test_bytes_behind_the_last_fragment_are_never_authentic(tmp_path: Path, film: tuple[bytes, Path, CertificateChain]) -> None:
    """Whatever is put behind a whole film: nobody vouches for it."""
    content, _, anchors = film
    torn = tmp_path / "torn.mp4"
    for more in (b"\0", bytes(8), b"\0\0\1\0mdat", b"\0\0\1\0moov" + bytes(20), b"\0\0\0\x20free"):
        torn.write_bytes(content + more)
        assert verify(torn, anchors).verdict is Verdict.NOT_TOLD


def test_the_command_says_how_much_was_torn_off(tmp_path: Path, node: ClockedNode) -> None:
    """Exit code 4, the bytes, and a clean film of what is signed."""
    torn, ca, out = tmp_path / "torn.mp4", tmp_path / "ca.pem", tmp_path / "clean.mp4"
    torn.write_bytes(node.rows()[0].path.read_bytes()[:-100])
    ca.write_bytes(node.identity.anchors().pem)
    done = CliRunner().invoke(vigie, ["verify", str(torn), "--ca", str(ca), "--json", "--extract", str(out)])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["verdict"]) == (4, "cannot be told here")
    assert "bytes are no whole fragment: it was torn there" in told["reason"]
    assert verify(out, node.identity.anchors()).authentic == told["frames"]["authentic"] == told["extracted"]["pictures"]
