"""Fragmented MP4: the very NAL units, the very times, and a film that plays wherever it is cut."""

from __future__ import annotations

import io
import re
import struct
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.base.clock import NS
from agent.base.errors import EncoderError
from agent.picture.access_unit import AccessUnit, VideoFormat
from bench.small_film import HEIGHT, WIDTH, encode, film, instant, masked, picture
from hardware.encoder_libav import LibavEncoder
from hardware.muxer_libav import LibavMuxer, header, length_prefixed
from tests.support.parts import program
from tests.support.played import play


def mux(path: Path, units: Sequence[AccessUnit], video: VideoFormat, every: int = 10) -> list[int]:
    """Write a film of fragments of `every` units; the file's length after each."""
    with path.open("wb") as file:

        def write(data: bytes) -> None:
            file.write(data)

        muxer = LibavMuxer(write, video)
        lengths = []
        for i, unit in enumerate(units):
            if i and i % every == 0:
                lengths.append(muxer.end_fragment(unit.dts_ns))
            muxer.write(unit)
        lengths.append(muxer.close())
    assert lengths[-1] == path.stat().st_size
    return lengths


def nals(annex_b: bytes) -> list[bytes]:
    """The NAL units of an Annex-B text, by a method of its own."""
    return [part.rstrip(b"\0") for part in re.split(b"\x00\x00\x01", annex_b)[1:]]


def samples(path: Path) -> list[list[bytes]]:
    """The NAL units of each sample in the file, by libavformat's demuxer."""
    found = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            data, at, units = bytes(packet), 0, []
            while at < len(data):
                (size,) = struct.unpack_from(">I", data, at)
                units.append(data[at + 4 : at + 4 + size])
                at += 4 + size
            if units:
                found.append(units)
    return found


def test_nal_units_are_kept_bit_by_bit(tmp_path: Path) -> None:
    """What a player's demuxer reads are the encoder's NAL units, all of them, in order, unchanged."""
    units = film().units
    mux(tmp_path / "film.mp4", units, film().format)
    assert samples(tmp_path / "film.mp4") == [nals(unit.data) for unit in units]


def test_signing_messages_travel_inside_their_access_unit(tmp_path: Path) -> None:
    """SEI units put before and after the picture stay where they were put, whatever their start codes."""
    sei = b"\x06\x05\x14" + bytes(range(1, 21)) + b"\x80"
    units = [replace(unit, data=b"\x00\x00\x01" + sei + unit.data + b"\x00\x00\x00\x01" + sei) for unit in film().units]
    mux(tmp_path / "film.mp4", units, film().format)
    assert samples(tmp_path / "film.mp4") == [[sei, *nals(plain.data), sei] for plain in film().units]
    assert len(play(tmp_path / "film.mp4").times_s) == len(units)


def test_every_picture_has_its_exact_time(tmp_path: Path) -> None:
    """Uneven times come back rounded once, to 1/90000 s from the film's start, and never add up to a drift."""
    stamps = [0]
    for i in range(99):
        stamps.append(stamps[-1] + 33_366_700 + (i * 7_919_113) % 21_000_000)
    units = [film().at(i, 5_000 * NS + at, at) for i, at in enumerate(stamps)]
    mux(tmp_path / "film.mp4", units, film().format, every=7)
    with av.open(str(tmp_path / "film.mp4")) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    assert [p.pts for p in packets] == [round(at * 90_000 / NS) for at in stamps]
    spans = [(p.pts, p.pts + p.duration) for p in packets if p.pts is not None and p.duration is not None]
    assert len(spans) == len(packets)
    assert all(ends == begins for (_, ends), (begins, _) in pairwise(spans))


@pytest.mark.parametrize("every", [1, 10])
def test_a_film_cut_at_any_fragment_end_plays(tmp_path: Path, every: int) -> None:
    """Cut after any fragment the file decodes without an error, every picture up to there, in libav and the ffmpeg program."""
    units = film().units[:60]
    lengths = mux(tmp_path / "film.mp4", units, film().format, every)
    whole = (tmp_path / "film.mp4").read_bytes()
    for number, length in list(enumerate(lengths, 1))[:: max(1, 12 // every)]:
        cut = tmp_path / "cut.mp4"
        cut.write_bytes(whole[:length])
        assert len(play(cut).times_s) == number * every
        done = subprocess.run(
            [program("ffmpeg", "ffmpeg"), "-v", "error", "-xerror", "-i", str(cut), "-f", "null", "-"], capture_output=True
        )
        assert done.returncode == 0
        assert done.stderr == b""


def test_nothing_reaches_the_file_before_its_fragment_is_whole() -> None:
    """The sink sees the header and then whole fragments: what is on disk never ends inside a box."""
    out: list[bytes] = []
    muxer = LibavMuxer(out.append, film().format)
    muxer.write(film().units[0])
    assert [box[4:8] for box in out] == [b"ftyp"]
    muxer.write(film().units[1])
    assert len(out) == 1
    muxer.end_fragment()
    assert out[1][4:8] == b"moof"
    muxer.end_fragment()
    assert len(out) == 2


@pytest.mark.parametrize(("keyframe_seconds", "b_frames", "slices"), [(0.04, 0, 0), (10, 0, 0), (1, 3, 0), (1, 0, 4), (10, 3, 4)])
def test_every_kind_of_gop_plays(tmp_path: Path, keyframe_seconds: float, b_frames: int, slices: int) -> None:
    """GOPs of 1 and of 250 pictures, with and without B-frames, with one slice and several: decoded whole and in order."""
    count = 260 if keyframe_seconds == 10 else 60
    encoder = LibavEncoder(
        WIDTH, 192, 25, crf=35, preset="veryfast", keyframe_seconds=keyframe_seconds, b_frames=b_frames, slices=slices
    )
    units = encode(encoder, (masked(picture(i, WIDTH, 192), instant(i)) for i in range(count)))
    mux(tmp_path / "film.mp4", units, encoder.format)
    played = play(tmp_path / "film.mp4")
    gop = round(keyframe_seconds * 25)
    assert [i for i, key in enumerate(played.keyframes) if key] == list(range(0, count, gop))
    start = played.times_s[0]
    assert [round((t - start) * 25, 3) for t in played.times_s] == list(range(count))


def test_a_film_that_begins_in_the_middle_of_a_gop_is_refused() -> None:
    """A segment cannot begin with anything but a keyframe; the error says so."""
    muxer = LibavMuxer(lambda _: None, film().format)
    with pytest.raises(EncoderError, match="keyframe with SPS and PPS"):
        muxer.write(replace(film().units[0], data=b"\x00\x00\x00\x01\x41\x9a\x26"))


def test_a_later_segment_has_the_header_its_own_keyframe_would_give() -> None:
    """Headers are kept, not made anew: that of another keyframe is the same byte for byte, other parameter sets have another."""
    encoder = LibavEncoder(WIDTH, 192, 25, crf=35, preset="veryfast", keyframe_seconds=0.2)
    units = encode(encoder, (masked(picture(i, WIDTH, 192), instant(i)) for i in range(30)))
    keyframes = [unit for unit in units if unit.keyframe]
    kept: list[bytes] = []
    short = replace(keyframes[0], data=keyframes[0].data.replace(b"\x00\x00\x00\x01", b"\x00\x00\x01"))
    for unit in (*keyframes, short):
        LibavMuxer(kept.append, encoder.format).write(unit)
    assert len({id(made) for made in kept}) == 1
    for unit in (*keyframes, film().units[0], *keyframes):
        video = film().format if unit is film().units[0] else encoder.format
        out: list[bytes] = []
        LibavMuxer(out.append, video).write(unit)
        assert out == [header(unit.data, video)]
    assert header(keyframes[0].data, encoder.format) != header(film().units[0].data, film().format)


def test_the_header_names_size_and_colours(tmp_path: Path) -> None:
    """Players learn size, colours and codec from the header alone."""
    mux(tmp_path / "film.mp4", film().units[:10], film().format)
    with av.open(io.BytesIO((tmp_path / "film.mp4").read_bytes())) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.width, codec.height) == ("h264", WIDTH, HEIGHT)
        assert (codec.colorspace, codec.color_range) == (6, 1)
        assert codec.extradata is not None
        assert codec.extradata[:1] == b"\x01"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=40), st.booleans()), max_size=8))
def test_start_codes_become_lengths_and_nothing_else_changes(parts: list[tuple[bytes, bool]]) -> None:
    """Any NAL units, behind start codes of three or four bytes, come back as they were."""
    units = [(b"\x61" + body.replace(b"\0", b"\x01") + b"\x80", long) for body, long in parts]
    annex_b = b"".join((b"\0\0\0\1" if long else b"\0\0\1") + nal for nal, long in units)
    assert length_prefixed(annex_b) == b"".join(struct.pack(">I", len(nal)) + nal for nal, _ in units)
