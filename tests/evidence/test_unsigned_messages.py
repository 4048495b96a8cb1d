"""Supplementary information that nobody signed: a decoder that acts on it shows other pictures than were signed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.picture.access_unit import AccessUnit
from agent.signing import nal, sei
from bench.forgery import judge, shown
from tests.support.films import make_film
from tests.support.signed_film import encode, sign, units_of, write

UUID = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")


def message(kind: int, payload: bytes) -> bytes:
    """A unit with one message."""
    number = b"\xff" * (kind // 255) + bytes([kind % 255, len(payload)])
    return b"\x06" + nal.escape(number + payload + b"\x80")


def with_message(units: Sequence[AccessUnit], at: int, unit: bytes) -> list[AccessUnit]:
    """The film with this unit alone of its kind, before the slices of picture `at`."""
    changed = []
    for number, each in enumerate(units):
        kept = [one for one in nal.units(each.data) if nal.unit_type(one) != nal.SEI or sei.is_signing_sei(one)]
        if number == at:
            kept.insert(next(place for place, one in enumerate(kept) if nal.is_vcl(nal.unit_type(one))), unit)
        changed.append(replace(each, data=b"".join(nal.START_CODE + one for one in kept)))
    return changed


@pytest.fixture(scope="module")
def full_colour(tmp_path_factory: pytest.TempPathFactory, signer: NodeSigner) -> list[AccessUnit]:
    """4:4:4, as FFmpeg reads it in two ways."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make_film(path, "-c:v", "libx264", "-crf", "28", "-pix_fmt", "yuv444p", "-x264-params", "keyint=10", pictures=20)
    return sign(units_of(path), signer)


def test_an_encoder_whose_faults_ffmpeg_makes_up_for_is_no_word_of_the_signer(
    tmp_path: Path, full_colour: list[AccessUnit], node_ca: CertificateChain
) -> None:
    """FFmpeg decodes the same slices otherwise when told so: that film is not authentic, and without it, it is."""
    honest = write(with_message(full_colour, 0, message(5, UUID + b"x264 - core 164 r3108")), tmp_path / "honest.mp4")
    assert verify(honest, node_ca).verdict is Verdict.AUTHENTIC
    forged = write(with_message(full_colour, 0, message(5, UUID + b"x264 - core 100 r1")), tmp_path / "forged.mp4")
    assert shown(forged) != shown(honest)
    report = verify(forged, node_ca)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert "picture 0: says that an old x264 made it" in report.reason


@pytest.mark.parametrize("text", ["x264-core20", "x264 \n-\tcore  7", "x264 - core -3", "x264 - core 0000"])
def test_however_it_is_written(tmp_path: Path, full_colour: list[AccessUnit], node_ca: CertificateChain, text: str) -> None:
    """As C reads numbers, with any UUID, and in any picture."""
    film = write(with_message(full_colour, 7, message(5, bytes(16) + text.encode())), tmp_path / "film.mp4")
    assert judge(film, node_ca)[0] == "not authentic"


@pytest.mark.parametrize("seed", range(4))
def test_whatever_message_is_let_pass_changes_no_picture(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain, seed: int
) -> None:
    """Timing, padding, recovery points and free data at random, with B-frames and slices or without."""
    chance = random.Random(seed)
    film = sign(encode(tmp_path / "film.mp4", gop=8, pictures=16, b_frames=seed % 2 * 2, slices=1 + seed // 2), signer)
    verdicts = set()
    for _ in range(25):
        kind = chance.choice([0, 1, 3, 5, 6, 6, chance.randrange(260)])
        payload = b"\xff" * chance.randrange(40) if kind == 3 else chance.randbytes(chance.randrange(30))
        changed = with_message(film, chance.randrange(len(film)), message(kind, payload))
        verdicts.add(judge(write(changed, tmp_path / "forged.mp4"), node_ca)[0])
    assert "authentic" in verdicts
    assert "forged" not in verdicts
