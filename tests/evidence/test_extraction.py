"""`vigie verify --extract`: whatever is odd about a file, what the signatures speak for comes out as a film of its own."""

from __future__ import annotations

import hashlib
import signal
from pathlib import Path

import pytest

from agent.base.errors import EvidenceError
from agent.cli import run
from agent.evidence.extraction import extract
from agent.evidence.report import Verdict
from agent.evidence.verification import judge_film, verify
from agent.identity.certificates import CertificateChain, read_chain
from agent.identity.node_key import NodeSigner
from tests.support.ended import ended
from tests.support.films import i420_of
from tests.support.signed_film import encode, retimed, sign, with_unit, write

FORGED = Path(__file__).parent / "forged"
FILMS = sorted(path.name for path in FORGED.glob("*.mp4"))


@pytest.fixture(scope="module")
def honest() -> bytes:
    """What the honest film shows."""
    return i420_of(FORGED / "honest.mp4")


@pytest.mark.parametrize("name", FILMS)
def test_out_of_every_forged_film_come_the_signed_pictures_alone(tmp_path: Path, honest: bytes, name: str) -> None:
    """Authentic, and picture by picture the honest film."""
    out = tmp_path / "out.mp4"
    assert run(["verify", str(FORGED / name), "--ca", str(FORGED / "ca.pem"), "--extract", str(out)]) in (0, 3)
    assert verify(out, read_chain(FORGED / "ca.pem")).verdict is Verdict.AUTHENTIC
    assert i420_of(out) == honest


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_changed_picture_takes_those_along_that_depend_on_it(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain, b_frames: int
) -> None:
    """The rest of its GOP is left out, every other picture stays, in the order in which it is shown."""
    signed = sign(encode(tmp_path / "plain.mp4", gop=5, pictures=15, size="64x48", b_frames=b_frames, slices=2), signer)
    whole = i420_of(write(signed, tmp_path / "whole.mp4"))
    signed[7] = with_unit(signed[7], lambda content: content[:-2] + bytes((content[-2] ^ 0x10, content[-1])))
    film = write(signed, tmp_path / "film.mp4")
    judged = judge_film(film, node_ca)
    assert judged.report.verdict is Verdict.NOT_AUTHENTIC
    made = extract(film, judged.verified, tmp_path / "out.mp4")
    assert made.sha256 == hashlib.sha256((tmp_path / "out.mp4").read_bytes()).hexdigest()
    assert made.pictures == 12
    picture = 64 * 48 * 3 // 2
    shown = i420_of(tmp_path / "out.mp4")
    assert shown[: 5 * picture] == whole[: 5 * picture]
    assert shown[-5 * picture :] == whole[-5 * picture :]
    assert verify(tmp_path / "out.mp4", node_ca).authentic == 12


def test_what_is_left_behind_is_whole_or_nothing(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """A name that is taken, a film without a verified keyframe: one line, and no file."""
    signed = sign(encode(tmp_path / "plain.mp4", gop=5, pictures=10, size="64x48"), signer)
    film = write(signed, tmp_path / "film.mp4")
    judged = judge_film(film, node_ca)
    before = set(tmp_path.iterdir())
    with pytest.raises(EvidenceError, match="exists"):
        extract(film, judged.verified, film)
    headless = write(retimed([*signed[:1], *signed[2:4]]), tmp_path / "headless.mp4")
    with pytest.raises(EvidenceError, match="nothing to extract"):
        extract(headless, (), tmp_path / "out.mp4")
    assert set(tmp_path.iterdir()) == before | {headless}


def test_nothing_is_extracted_for_a_key_that_nobody_trusts(tmp_path: Path, node_ca: CertificateChain) -> None:
    """Its signatures verify nothing."""
    (tmp_path / "ca.pem").write_bytes(node_ca.pem)
    out = tmp_path / "out.mp4"
    assert run(["verify", str(FORGED / "honest.mp4"), "--ca", str(tmp_path / "ca.pem"), "--extract", str(out)]) == 1
    assert not out.exists()


def test_a_signal_leaves_nothing_half_extracted(tmp_path: Path) -> None:
    """The process ends of it, without a file."""
    argv = ["verify", str(FORGED / FILMS[0]), "--ca", str(FORGED / "ca.pem"), "--extract", str(tmp_path / "out.mp4")]
    assert ended("agent.evidence.extraction.name_finished", signal.SIGTERM, argv) == -signal.SIGTERM
    assert not list(tmp_path.iterdir())
