"""Signing: what the node adds to the stream, and that a verifier and a player take it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent.base.clock import NS
from agent.evidence.report import State, Verdict
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.picture.access_unit import AccessUnit
from agent.signing import nal, sei
from agent.signing.media_signing import MediaSigner
from agent.signing.signed_unit import closed, closing_unit
from tests.support.failing_key import FailingKey
from tests.support.films import i420_of
from tests.support.parts import program
from tests.support.signed_film import VENDOR, encode, retimed, sign, write


def signatures(units: list[AccessUnit]) -> list[sei.SigningSei]:
    """Every Media Signing unit in the stream."""
    return [sei.parse(each) for unit in units for each in nal.units(unit.data) if sei.is_signing_sei(each)]


@pytest.mark.parametrize(
    ("gop", "b_frames", "slices"), [(10, 0, 1), (10, 2, 1), (10, 0, 4), (10, 2, 4), (1, 0, 1), (250, 0, 1), (250, 2, 3)]
)
def test_every_shape_of_stream_verifies_without_a_dangling_end(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain, gop: int, b_frames: int, slices: int
) -> None:
    """B-frames off and on, one and several slices, GOPs of 1, of 10 and longer than five seconds."""
    pictures = 150 if gop == 250 else 40
    units = encode(tmp_path / "plain.mp4", gop=gop, b_frames=b_frames, slices=slices, pictures=pictures)
    report = verify(write(sign(units, signer), tmp_path / "signed.mp4"), node_ca)
    assert (report.verdict, report.reason) == (Verdict.AUTHENTIC, "every picture is signed, in order, and none is missing")
    assert (report.authentic, report.pictures, report.pending) == (pictures, pictures, 0)


def test_long_gops_are_signed_in_parts(tmp_path: Path, signer: NodeSigner) -> None:
    """No more than five seconds go by without a signature; the parts share one anchor and follow one another."""
    signed = signatures(sign(encode(tmp_path / "plain.mp4", gop=250, pictures=170), signer))
    gops = [each.gop for each in signed if each.gop]
    assert [each.nal_units for each in gops] == [50, 50, 50, 20]
    assert [each.partial for each in gops] == [True, True, True, False]
    assert [each.counter for each in gops] == [1, 2, 3, 4]
    lists = [each.hashes for each in signed if each.gop]
    assert [each.linked_hash for each in gops] == [bytes(32), lists[0][0], lists[1][0], lists[2][0]]


def test_signing_adds_units_and_touches_none(tmp_path: Path, signer: NodeSigner) -> None:
    """Without the Media Signing units the stream is the encoder's, byte for byte; every SEI stands before the slices."""
    plain = encode(tmp_path / "plain.mp4", gop=5, pictures=20, slices=2)
    for before, after in zip(plain, sign(plain, signer, close=False), strict=True):
        kinds = [nal.unit_type(each) for each in nal.units(after.data)]
        assert [each for each in nal.units(after.data) if not sei.is_signing_sei(each)] == list(nal.units(before.data))
        assert nal.SEI not in kinds[kinds.index(nal.IDR_SLICE if before.keyframe else nal.SLICE) :]


def test_the_certificate_comes_first(tmp_path: Path, signer: NodeSigner) -> None:
    """The first access unit carries the certificate unit, signed by the key it vouches for, naming maker and node."""
    first = signatures(sign(encode(tmp_path / "plain.mp4", gop=10), signer))[0]
    assert first.certificate
    assert first.maker_chain_pem == signer.chain_pem
    assert first.vendor == VENDOR
    assert signer.verify(first.document, first.signature or b"")


def test_emulation_prevention_leaves_no_start_code_inside_a_signature(tmp_path: Path, signer: NodeSigner) -> None:
    """The first link is 32 zero bytes: a unit without prevention would be torn apart by any parser."""
    for unit in sign(encode(tmp_path / "plain.mp4", gop=5), signer):
        for each in nal.units(unit.data):
            if sei.is_signing_sei(each):
                assert sei.parse(each).signature
                assert not any(word in each for word in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))


def test_a_player_sees_the_same_pictures(tmp_path: Path, signer: NodeSigner) -> None:
    """A decoder takes the signed film without an error, to exactly the pictures of the unsigned one."""
    plain = encode(tmp_path / "plain.mp4", gop=10, b_frames=2)
    signed = write(sign(plain, signer), tmp_path / "signed.mp4")
    done = subprocess.run(
        [program("ffmpeg", "ffmpeg"), "-v", "error", "-i", str(signed), "-f", "null", "-"], capture_output=True, check=True
    )
    assert done.stderr == b""
    assert i420_of(signed) == i420_of(tmp_path / "plain.mp4")


def test_a_segment_is_closed_by_the_keyframe_that_follows(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """Cut at a keyframe, both halves verify alone and nothing dangles; put together again they verify as one."""
    media_signer = MediaSigner(signer, VENDOR)
    signed = [media_signer.process(unit) for unit in encode(tmp_path / "plain.mp4", gop=10)]
    end = media_signer.finish()
    assert end is not None
    first, second = signed[:20], signed[20:]
    closing = closing_unit(first[-1], second[0])
    assert closing is not None
    assert closing.duration_ns == 0
    first[-1], second[-1] = closed(first[-1], closing), closed(second[-1], end)
    for half in (first, second, first + second):
        report = verify(write(half, tmp_path / "half.mp4"), node_ca)
        assert (report.verdict, report.authentic, report.pending) == (Verdict.AUTHENTIC, len(half), 0)


def test_an_unsigned_keyframe_closes_nothing(tmp_path: Path) -> None:
    """Without signatures in the stream there is no closing unit."""
    plain = encode(tmp_path / "plain.mp4", gop=10, pictures=20)
    assert closing_unit(plain[9], plain[10]) is None


def test_after_the_end_the_chain_goes_on(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """Two recordings joined in order are authentic, the pause between them is told, and none can be left out of three.

    Turned round they never pass. Without a seal, a clock that was behind and a turned film look alike: that is said.
    """
    media_signer = MediaSigner(signer, VENDOR)
    films = []
    for start_s in (0, 3600, 7200):
        units = [
            AccessUnit(u.data, u.keyframe, u.pts_ns + start_s * NS, u.dts_ns + start_s * NS, u.duration_ns,
                       u.wall_ns + start_s * NS, u.index)
            for u in encode(tmp_path / "plain.mp4", gop=10)
        ]  # fmt: skip
        made = [media_signer.process(unit) for unit in units]
        closing = media_signer.finish()
        assert closing is not None
        made[-1] = closed(made[-1], closing)
        films.append(made)
    joined = verify(write(films[0] + films[1], tmp_path / "joined.mp4"), node_ca)
    assert joined.verdict is Verdict.AUTHENTIC
    assert "interrupted" in joined.notes[0]
    gap = verify(write(retimed(films[0] + films[2]), tmp_path / "gap.mp4"), node_ca)
    assert (gap.verdict, gap.missing_units) == (Verdict.MISSING, 4)
    turned = verify(write(retimed(films[1] + films[0]), tmp_path / "turned.mp4"), node_ca)
    assert turned.verdict is Verdict.NOT_TOLD
    assert "stands one of" in turned.reason


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("at", [13, 20])
def test_a_camera_that_falls_silent_leaves_nothing_unsigned(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain, at: int, resumed: bool
) -> None:
    """In the middle of a GOP or at its end; when the camera comes back, signing goes on in the same chain."""
    plain = encode(tmp_path / "plain.mp4", gop=10)
    media_signer = MediaSigner(signer, VENDOR)
    signed = [media_signer.process(unit) for unit in plain[:at]]
    closing = media_signer.pause()
    assert closing is not None
    assert media_signer.pause() is None
    signed[-1] = closed(signed[-1], closing)
    if resumed:
        signed += [media_signer.process(unit) for unit in plain[at:]]
        end = media_signer.finish()
        assert end is not None
        signed[-1] = closed(signed[-1], end)
    report = verify(write(signed, tmp_path / "signed.mp4"), node_ca)
    assert (report.verdict, report.authentic, report.pending) == (Verdict.AUTHENTIC, len(signed), 0)
    assert report.notes == ()
    if resumed:
        dropped = verify(write(retimed([*signed[:22], *signed[23:]]), tmp_path / "dropped.mp4"), node_ca)
        assert [(s.state, s.first) for s in dropped.spans if s.state is not State.AUTHENTIC] == [(State.MISSING, 22)]


def test_a_fault_is_reported_as_it_begins_and_ends(tmp_path: Path, signer: NodeSigner) -> None:
    """Once each, and with the first signature that all is well: not with every GOP."""
    told: list[str] = []
    key = FailingKey(signer, fails=False)
    media_signer = MediaSigner(key, VENDOR, report=told.append)
    units = encode(tmp_path / "plain.mp4", gop=4)
    for number, unit in enumerate(units):
        key.fails = len(units) // 3 < number < 2 * len(units) // 3
        media_signer.process(unit)
    assert told == ["", "the secure element does not answer", ""]


def test_a_key_that_fails_never_stops_the_stream(tmp_path: Path, signer: NodeSigner) -> None:
    """Units pass unsigned, the failures are counted and told."""
    plain = encode(tmp_path / "plain.mp4", gop=10)
    media_signer = MediaSigner(FailingKey(signer), VENDOR)
    assert [media_signer.process(unit) for unit in plain] == plain
    assert media_signer.failures
    assert "secure element" in media_signer.fault
    assert media_signer.finish() is None


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\1", b"nonsense", b"\0\0\0\1\x09\x10", b"\0\0\1\x65", b"\0\0\1\x41\x9a\0\0\1\x06\x05"]
)
def test_malformed_units_pass_as_they_are(signer: NodeSigner, data: bytes) -> None:
    """Whatever an encoder emits, the signer does not raise and loses nothing."""
    unit = AccessUnit(data, True, 0, 0, NS, 0, 0)
    passed = MediaSigner(signer, VENDOR).process(unit)
    assert [each for each in nal.units(passed.data) if not sei.is_signing_sei(each)] == list(nal.units(data))


def test_the_last_pictures_dangle_without_a_closing_unit(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """After a power cut the last GOP has no signature: said, placed, and not passed off as whole."""
    report = verify(write(sign(encode(tmp_path / "p.mp4", gop=10), signer, close=False), tmp_path / "s.mp4"), node_ca)
    assert (report.verdict, report.authentic, report.pending) == (Verdict.NOT_TOLD, 30, 10)
    assert (report.spans[-1].state, report.spans[-1].first, report.spans[-1].last) == (State.PENDING, 30, 39)
