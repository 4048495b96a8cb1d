"""Films of other makers, cut and muxed as they may be: ONVIF's sample, and signatures that come late or count wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.cli import run
from agent.evidence.access_unit_reading import AccessUnitReader
from agent.evidence.boxes import MalformedFilm
from agent.evidence.film import Film
from agent.evidence.report import Report, State, Verdict
from agent.evidence.verification import judge, verify
from agent.identity.certificates import CertificateChain
from agent.identity.node_key import NodeSigner
from agent.picture.access_unit import AccessUnit
from agent.signing import nal, sei
from agent.signing.tlv import Tag, field
from tests.support.films import make_film, run_ffmpeg
from tests.support.signed_film import encode, sign, units_of, with_unit, write

Pictures = list[list[bytes]]
GOP = 20


@pytest.fixture(scope="module")
def sample(samples: Path) -> Pictures:
    """The units of every access unit of ONVIF's film; the last holds a signature alone."""
    with Film(samples / "signed.mp4") as film:
        return [list(film.nal_units(each)) for each in film.samples()]


def numbered(pictures: Sequence[Sequence[bytes]]) -> Iterator[tuple[int, bytes]]:
    """As a verifier takes them."""
    return ((number, unit) for number, units in enumerate(pictures) for unit in units)


def judged(pictures: Pictures, ca: CertificateChain) -> Report:
    """The verdict on these pictures."""
    return judge(lambda: numbered(pictures), len(pictures), ca)


def is_signature(unit: bytes) -> bool:
    """True for a signature over a GOP."""
    return sei.is_signing_sei(unit) and not sei.is_certificate_sei(unit)


@pytest.mark.parametrize("late", [1, 2, 5, GOP - 1])
@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_film_cut_on_a_gop_whose_signature_comes_late_is_authentic(
    sample: Pictures, reference_ca: CertificateChain, first: int, late: int
) -> None:
    """The signature over the GOP that was cut off stands `late` pictures behind the first: it speaks for none that is there."""
    certificate = next(unit for units in sample for unit in units if sei.is_signing_sei(unit) and sei.is_certificate_sei(unit))
    kept = [[unit for unit in units if not is_signature(unit)] for units in sample[:120]]
    for gop in range(1, 6):
        kept[GOP * gop + late] += [unit for unit in sample[GOP * gop + 1] if is_signature(unit)]
        kept[GOP * gop + late].sort(key=lambda unit: nal.unit_type(unit) != nal.SEI)
    cut = kept[GOP * first :]
    cut[0] = [certificate, *cut[0]]
    report = judged(cut, reference_ca)
    assert (report.verdict, report.changed, report.missing_units) == (Verdict.AUTHENTIC, 0, 0)
    assert (report.authentic, report.pending) == (len(cut) - GOP, GOP)


@pytest.mark.parametrize("stale", [1, 20, 99])
def test_a_long_last_gop_closed_with_a_stale_count_is_authentic(
    tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain, stale: int
) -> None:
    """The reference repeats count and hash of the GOP before in its last signature; its hash list says what it signs."""
    film = [
        list(nal.units(unit.data))
        for unit in sign(encode(tmp_path / "plain.mp4", gop=100, pictures=200, size="32x32", rate=50), signer)
    ]
    closing = sei.parse(film[-1][-1])
    assert closing.gop is not None
    gop = replace(closing.gop, nal_units=stale, gop_hash=bytes(32))
    body = field(Tag.GOP, gop.encode()) + field(Tag.HASHES, b"\x01" + b"".join(closing.hashes))
    film[-1][-1] = sei.build(body, signer.sign)
    report = judged(film, node_ca)
    assert (report.verdict, report.authentic, report.changed, report.missing_units) == (Verdict.AUTHENTIC, 200, 0, 0)
    assert judged([*film[:190], *film[191:]], node_ca).verdict is Verdict.MISSING


def test_a_film_without_its_certificate_cannot_be_told(
    tmp_path: Path, samples: Path, reference_ca: CertificateChain, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut by ffmpeg behind the only one: exit code 4, in words, and nobody is accused."""
    cut = tmp_path / "cut.mp4"
    run_ffmpeg("-ss", "2.05", "-i", str(samples / "signed.mp4"), "-c", "copy", str(cut))
    report = verify(cut, reference_ca)
    assert (report.verdict, report.changed, report.oddities) == (Verdict.NOT_TOLD, 0, ())
    assert run(["verify", str(cut), "--ca", str(samples / "ca.pem")]) == 4
    first = capsys.readouterr().out.splitlines()[0]
    assert "cannot be told here: the film carries no certificate" in first


def test_an_access_unit_of_a_signature_alone_is_no_picture(
    tmp_path: Path, samples: Path, sample: Pictures, reference_ca: CertificateChain
) -> None:
    """The reference's last signature has an access unit of its own: 120 pictures are 120, whichever muxer kept it."""
    assert not any(nal.is_vcl(nal.unit_type(unit)) for unit in sample[120])
    for name, options in (("whole.mp4", ()), ("fragmented.mp4", ("-movflags", "frag_keyframe+empty_moov"))):
        run_ffmpeg("-i", str(samples / "signed.mp4"), "-c", "copy", *options, str(tmp_path / name))
        report = verify(tmp_path / name, reference_ca)
        assert report.verdict is Verdict.AUTHENTIC
        assert report.pictures in (119, 120)
        assert report.pictures == report.authentic + report.pending
        assert max(span.last for span in report.spans if span.state is not State.MISSING) < 120


def test_interlaced_films_are_refused_and_not_accused(tmp_path: Path, signer: NodeSigner, node_ca: CertificateChain) -> None:
    """Frames that hold both fields are authentic, unless unsigned timing says how to show them; single fields are not judged."""
    plain = tmp_path / "plain.mp4"
    make_film(plain, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-x264-params", "interlaced=1:keyint=8:bframes=0", pictures=24)
    units = units_of(plain)
    with pytest.raises(MalformedFilm, match="picture 0 is interlaced, and nobody signed how its fields are shown"):
        verify(write(sign(units, signer), tmp_path / "timed.mp4"), node_ca)
    units = [without_timing(each) for each in units]
    assert verify(write(sign(units, signer), tmp_path / "frames.mp4"), node_ca).verdict is Verdict.AUTHENTIC

    reader = AccessUnitReader()
    reader.take_sets(unit for unit in nal.units(units[0].data) if nal.unit_type(unit) in (nal.SPS, nal.PPS))
    units[5] = with_unit(units[5], lambda unit: as_field(unit, reader))
    with pytest.raises(MalformedFilm, match="picture 5 is coded in fields: Vigie judges whole frames only"):
        verify(write(sign(units, signer), tmp_path / "fields.mp4"), node_ca)


def without_timing(unit: AccessUnit) -> AccessUnit:
    """Without supplementary information."""
    kept = (each for each in nal.units(unit.data) if nal.unit_type(each) != nal.SEI)
    return replace(unit, data=b"".join(nal.START_CODE + each for each in kept))


def as_field(unit: bytes, reader: AccessUnitReader) -> bytes:
    """The slice with the bit set that says that it is of one field."""
    for bit in range(8, 64):
        changed = bytearray(unit)
        changed[bit // 8] ^= 0x80 >> bit % 8
        with contextlib.suppress(ValueError):
            header, before = reader.header_of(bytes(changed)), reader.header_of(unit)
            if header.field and (header.first_macroblock, header.picture.frame_number) == (0, before.picture.frame_number):
                return bytes(changed)
    raise AssertionError("no such bit")
