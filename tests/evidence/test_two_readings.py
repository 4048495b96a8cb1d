"""Films that the standard reads in one way and a player in another: FFmpeg showed forged pictures, or left signed ones out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.base.errors import VigieError
from agent.evidence.boxes import box, full_box
from agent.evidence.film import Film
from agent.evidence.verification import verify
from agent.identity.certificates import CertificateChain
from agent.signing import nal
from bench.forgery import originals
from bench.mutation import Node, other_sets, parse
from tests.support import lying_muxer as mux
from tests.support.films import run_ffmpeg


@dataclass(frozen=True)
class Pieces:
    """Of a signed film: its pictures with their units, as samples, and what describes them."""

    units: list[list[bytes]]
    samples: list[bytes]
    sets: tuple[bytes, bytes]
    ca: CertificateChain

    @property
    def entries(self) -> list[bytes]:
        """An honest description."""
        return [mux.entry(mux.configuration(*self.sets))]

    def fragments(self, *later: bytes, track: int = 1, entries: list[bytes] | None = None) -> bytes:
        """The first half of the film, and what follows it."""
        return b"".join((mux.begun(entries or self.entries, track), mux.fragment(self.samples[:8], 0), *later))


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Pieces:
    """Twelve pictures in GOPs of four."""
    directory = tmp_path_factory.mktemp("originals")
    made = originals(directory)
    path = directory / "first.mp4"
    path.write_bytes(made.films[0])
    with Film(path) as film:
        units = [list(film.nal_units(sample)) for sample in film.samples()]
    sps, pps = (next(unit for unit in units[0] if nal.unit_type(unit) == kind) for kind in (nal.SPS, nal.PPS))
    return Pieces(units, [mux.sample(each) for each in units], (sps, pps), made.ca)


def _chunks(pieces: Pieces, *runs: tuple[int, int, int]) -> bytes:
    """Two chunks, of which the second is the signed film."""
    return mux.plain([pieces.samples, pieces.samples], pieces.entries, in_chunks=runs, count=12)


def _second_run(pieces: Pieces) -> bytes:
    first, second = pieces.samples[8:10], pieces.samples[10:]

    def runs(offset: int) -> bytes:
        said = full_box(b"trun", 0, 0x201, mux.numbers(2, offset, *map(len, first)))
        return said + full_box(b"trun", 0, 0x200, mux.numbers(2, *map(len, second)))

    return pieces.fragments(mux.fragment(pieces.samples[8:], 800, runs=runs))


def _indexed(pieces: Pieces) -> bytes:
    """Both fragments at once, says the index."""
    first, second = mux.fragment(pieces.samples[:8], 0), mux.fragment(pieces.samples[8:], None)
    head = mux.numbers(1, 1000, 0, 0) + b"\0\0\0\2"
    index = full_box(b"sidx", 0, 0, head, *(mux.numbers(len(each), 0, 0x90000000) for each in (first, second)))
    return mux.begun(pieces.entries) + index + first + second


def _palette(pieces: Pieces) -> bytes:
    """FFmpeg reads the head of `free` as one of a table of colours, and then what is in it."""
    hidden = box(b"free", mux.configuration(other_sets(pieces.sets[0])[0], pieces.sets[1]))
    described = mux.entry(hidden, mux.configuration(*pieces.sets), depth=b"\0\x08\0\0")
    plain = [mux.sample([unit for unit in each if nal.unit_type(unit) not in (nal.SPS, nal.PPS)]) for each in pieces.units]
    return mux.plain([plain], [described])


def _delimiter(pieces: Pieces) -> bytes:
    """FFmpeg takes a sample that begins like `avcC` for one, and shows no picture of it."""
    hidden = mux.configuration(*pieces.sets)[12:].ljust(0xFFFE, b"\x55")
    samples = [mux.sample([b"\x09\xff" + hidden, *each], 3) for each in pieces.units]
    return mux.plain([samples], [mux.entry(mux.configuration(*pieces.sets, 3))])


def _artwork(_: Pieces) -> bytes:
    key = b"mdtacom.apple.quicktime.artwork"
    keys = full_box(b"keys", 0, 0, mux.numbers(1, 4 + len(key)), key)
    image = box(mux.numbers(1), box(b"data", mux.numbers(14, 0), b"\x89PNG"))
    return box(b"meta", full_box(b"hdlr", 0, 0, bytes(4), b"mdta", bytes(13)), keys, box(b"ilst", image))


def _found_at(size: int) -> bytes:
    """So many bytes before the end of the film."""
    return full_box(b"mfro", 0, 0, mux.numbers(size))


LIES: dict[str, tuple[Callable[[Pieces], bytes], str]] = {
    "stsc begins late": (lambda p: _chunks(p, (2, 12, 1)), "leaves out the first chunk"),
    "stsc of no pictures": (lambda p: _chunks(p, (1, 0, 1), (2, 12, 1)), "contradicts itself"),
    "a run without offset": (_second_run, "does not say where its further pictures lie"),
    "another track's fragment": (
        lambda p: p.fragments(mux.fragment(p.samples[8:], 800), mux.fragment(p.samples[8:], 1200, track=2)),
        "of a track that the film does not hold",
    ),
    "another track announced": (
        lambda p: p.fragments(mux.fragment(p.samples[8:], 800), track=2),
        "does not announce",
    ),
    "times in the index": (_indexed, "does not say when it begins"),
    "shifts of two readings": (lambda p: p.fragments(mux.fragment(p.samples[8:], 800, shift=-1)), "read in two ways"),
    "a table of colours": (_palette, "a table of colours"),
    "a second format": (
        lambda p: mux.plain(
            [p.samples[:4], p.samples[4:8], p.samples[8:]],
            [*p.entries, mux.entry(mux.configuration(*p.sets), kind=b"avc3")],
            in_chunks=[(1, 4, 1), (2, 4, 2), (3, 4, 1)],
        ),
        "more than one format",
    ),
    "a second length": (
        lambda p: p.fragments(
            mux.fragment([mux.sample(each, 2) for each in p.units[8:]], 800, description=2),
            entries=[*p.entries, mux.entry(mux.configuration(*p.sets, 2))],
        ),
        "more than one format",
    ),
    "a delimiter that is none": (_delimiter, "a delimiter that is none"),
    "lengths in three bytes": (_delimiter, "three bytes"),
    "a picture of any name": (lambda p: mux.plain([p.samples], p.entries, more=_artwork(p)), "a picture that nobody signed"),
    "another kind of film": (
        lambda p: mux.plain([p.samples], p.entries, more=box(b"free", b"\0hdlr", bytes(4), b"mhlrMPEG")),
        "another kind of film",
    ),
    "another index": (lambda p: p.fragments(box(b"mfra", _found_at(200))), "is not where the end"),
    "a hidden index": (lambda p: p.fragments(box(b"free", box(b"mfra", _found_at(24)))), "is not where the end"),
    "an end before the end": (lambda p: mux.plain([p.samples], p.entries, movie_lasts=500), "moov/mvhd: ends before picture"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_film_that_players_read_otherwise_does_not_pass(tmp_path: Path, pieces: Pieces, lie: str) -> None:
    """It is named, or refused, for that very reason."""
    make, why = LIES[lie]
    path = tmp_path / "film.mp4"
    path.write_bytes(make(pieces))
    assert why in _against(path, pieces.ca)


def _against(path: Path, ca: CertificateChain) -> str:
    """All that is said against the film; nothing when it passes."""
    try:
        report = verify(path, ca)
    except VigieError as error:
        return str(error)
    if report.verdict.value != "not authentic":
        return ""
    return " ".join((report.reason, *report.oddities, *(span.why for span in report.spans)))


def test_the_same_muxer_without_a_lie_passes(tmp_path: Path, pieces: Pieces) -> None:
    """In one piece, in several chunks, and in fragments, one of them without a time where no index gives another."""
    chunked = mux.plain([pieces.samples[:5], pieces.samples[5:]], pieces.entries)
    dated, undated = (pieces.fragments(mux.fragment(pieces.samples[8:], at)) for at in (800, None))
    for content in (mux.plain([pieces.samples], pieces.entries), chunked, dated, undated):
        path = tmp_path / "film.mp4"
        path.write_bytes(content)
        assert verify(path, pieces.ca).reason == "every picture is signed, in order, and none is missing"


def test_a_film_with_reordered_pictures_and_no_edit_list_passes(tmp_path: Path) -> None:
    """FFmpeg's headers then count from the first picture that is shown, not from the first that is decoded."""
    made = originals(tmp_path)
    signed, path = tmp_path / "signed.mp4", tmp_path / "film.mp4"
    signed.write_bytes(made.films[3])
    run_ffmpeg("-i", str(signed), "-c", "copy", "-use_editlist", "0", str(path))
    assert verify(path, made.ca).reason == "every picture is signed, in order, and none is missing"


def test_boxes_that_other_muxers_add_for_no_player_are_no_accusation(tmp_path: Path, pieces: Pieces) -> None:
    """FFmpeg's `uuid` in `.m4v`, GStreamer's `XMP_` in `.mov`; a `uuid` that nobody knows stays one."""
    ipod = bytes.fromhex("6b6840f25f244fc5ba39a51bcf0323f3")
    for uuid, passes in ((ipod, True), (hashlib.sha256().digest()[:16], False)):
        described = mux.entry(mux.configuration(*pieces.sets), box(b"uuid", uuid, bytes(4)))
        path = tmp_path / "film.m4v"
        path.write_bytes(mux.plain([pieces.samples], [described], more=box(b"udta", box(b"XMP_", b"<x:xmpmeta/>"))))
        assert (verify(path, pieces.ca).verdict.value == "authentic") is passes


def test_pictures_behind_the_end_of_another_makers_film_are_told(
    tmp_path: Path, samples: Path, reference_ca: CertificateChain, pieces: Pieces
) -> None:
    """Fragments that last no time, behind an end that FFmpeg does not keep to."""
    nodes = parse((samples / "signed.mp4").read_bytes())
    moov = next(each for each in nodes if each.kind == b"moov")
    assert moov.children is not None
    moov.children.append(Node(b"mvex", full_box(b"trex", 0, 0, mux.numbers(1, 1, 0, 0, 0))))
    path = tmp_path / "film.mp4"
    path.write_bytes(b"".join(each.bytes() for each in nodes) + mux.fragment(pieces.samples, 12_500))
    report = verify(path, reference_ca)
    assert report.verdict.value == "not authentic"
    assert "ends before picture" in report.reason


@pytest.mark.parametrize("header", [b"mvhd", b"mdhd"])
def test_times_in_a_form_nobody_knows_are_refused(pieces: Pieces, tmp_path: Path, header: bytes) -> None:
    """Version 2 of a header: FFmpeg refuses the film and GStreamer shows nothing of it, whatever is signed."""
    path = tmp_path / "film.mp4"
    content = bytearray(pieces.fragments())
    content[content.index(header) + 4] = 2
    path.write_bytes(content)
    with pytest.raises(VigieError, match="in a form that players do not know"):
        verify(path, pieces.ca)


@pytest.mark.parametrize("kind", [b"stbl", b"avc1"])
def test_a_box_without_a_size_inside_another_is_refused(pieces: Pieces, tmp_path: Path, kind: bytes) -> None:
    """FFmpeg reads it up to the end of the other, or refuses the film; GStreamer shows nothing of it."""
    content = bytearray(mux.plain([pieces.samples], pieces.entries))
    at = content.index(kind, len(mux.FTYP)) - 4
    content[at : at + 4] = bytes(4)
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    with pytest.raises(VigieError, match="states no size inside another"):
        verify(path, pieces.ca)
