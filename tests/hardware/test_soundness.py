"""What a real decoder makes of a stream with pieces lost: nothing it made up, nor built on that, counts as seen."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.h264_references import References
from hardware.soundness import Soundness, strict
from tests.support.films import run_ffmpeg


class Packet(NamedTuple):
    """As a demuxer gives it: Annex B."""

    pts: int | None
    dts: int | None
    data: bytes


Damage = Callable[[list[Packet], random.Random], list[Packet]]
PICTURES = 40
SLICED = "slices=4:keyint=10:scenecut=0:bframes=0"
STREAMS = {
    "four slices": ("libx264", SLICED),
    "one slice": ("libx264", "keyint=10:scenecut=0:bframes=0"),
    "pictures nobody refers to": ("libx264", "keyint=10:scenecut=0:bframes=2:b-pyramid=none"),
    "open groups": ("libx264", "keyint=10:scenecut=0:bframes=2:open-gop=1"),
    "several references": ("libx264", "keyint=10:scenecut=0:bframes=3:b-pyramid=normal:ref=4"),
    "gradual refresh": ("libx264", "keyint=10:scenecut=0:bframes=0:intra-refresh=1"),
    "H.265": ("libx265", "keyint=10:scenecut=0:bframes=0:log-level=none:repeat-headers=1"),
    "H.265, reordered": ("libx265", "keyint=10:scenecut=0:bframes=2:log-level=none:repeat-headers=1"),
}


@lru_cache
def packets(name: str) -> tuple[Packet, ...]:
    """Every packet of a moving, noisy test picture; pictures differ in every row."""
    codec, parameters = STREAMS[name]
    options = "-x264-params" if codec == "libx264" else "-x265-params"
    with TemporaryDirectory() as directory:
        path = Path(directory) / "a.ts"
        picture = f"testsrc2=size=192x128:rate=10,noise=alls=30:allf=t,trim=end_frame={PICTURES}"
        run_ffmpeg("-f", "lavfi", "-i", picture, "-c:v", codec, options, parameters, "-pix_fmt", "yuv420p", str(path))
        with av.open(str(path)) as film:
            return tuple(Packet(packet.pts, packet.dts, bytes(packet)) for packet in film.demux(video=0) if packet.size)


def decoded(name: str, given_packets: list[Packet]) -> Iterator[tuple[bool, bytes]]:
    """Each picture that comes out: whether it counts as sound, and its samples."""
    codec = av.CodecContext.create("hevc" if "265" in name else "h264", "r")
    assert isinstance(codec, av.VideoCodecContext)
    codec.thread_count = 1
    strict(codec)
    soundness = Soundness(codec)
    for each in given_packets:
        packet = av.Packet(each.data)
        packet.pts, packet.dts = each.pts, each.dts
        soundness.packet(packet)
        try:
            pictures = codec.decode(packet)
        except av.error.FFmpegError:
            soundness.failed()
            continue
        for picture in pictures:
            for due, sound in soundness.judged(picture):
                yield sound, due.to_ndarray().tobytes()


@lru_cache
def true_pictures(name: str) -> tuple[bytes, ...]:
    """What the camera saw."""
    shown = list(decoded(name, list(packets(name))))
    assert all(sound for sound, _ in shown), "of an undamaged stream every picture counts"
    return tuple(samples for _, samples in shown)


def nals(packet: bytes) -> list[bytes]:
    """The units of an Annex-B packet, each with its start code."""
    return [b"\0\0\1" + unit for unit in packet.split(b"\0\0\1")[1:]]


def lose_pictures(whole: list[Packet], chosen: random.Random) -> list[Packet]:
    """Some packets never come: single ones, runs, keyframes."""
    gone = {chosen.randrange(len(whole)) for _ in range(chosen.randrange(1, 3))}
    first = chosen.randrange(len(whole))
    gone |= set(range(first, first + chosen.randrange(4)))
    return [each for at, each in enumerate(whole) if at not in gone]


def lose_first_keyframe(whole: list[Packet], chosen: random.Random) -> list[Packet]:
    """We come in between two keyframes."""
    return whole[chosen.randrange(1, 9) :]


def lose_units(whole: list[Packet], chosen: random.Random) -> list[Packet]:
    """Slices are lost, of any picture."""
    kept = [each._replace(data=b"".join(unit for unit in nals(each.data) if chosen.random() > 0.03)) for each in whole]
    return [each for each in kept if each.data]


def cut_units(whole: list[Packet], chosen: random.Random) -> list[Packet]:
    """The end of some packets is lost."""
    return [
        each._replace(data=each.data[: max(8, int(chosen.random() * len(each.data)))]) if chosen.random() < 0.06 else each
        for each in whole
    ]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        (name, damage)
        for name in STREAMS
        for damage in (lose_pictures, lose_first_keyframe, lose_units, cut_units)
        if "265" not in name or damage in (lose_pictures, lose_first_keyframe)
    ],
)
def test_whatever_was_lost_a_picture_that_counts_is_what_the_camera_saw(name: str, damage: Damage) -> None:
    """Sample by sample: pictures made up or predicted from such never count, and later ones count again.

    FFmpeg conceals damage within an H.265 picture without a word, which is why the RTSP driver takes it over TCP alone.
    """
    true, sound, unsound, last = set(true_pictures(name)), 0, 0, 0
    for seed in range(12):
        shown = list(decoded(name, damage(list(packets(name)), random.Random(seed))))
        for counts, samples in shown:
            assert not counts or samples in true, f"seed {seed}: a picture counts that no camera saw"
            sound += counts
            unsound += not counts
        last += bool(shown) and shown[-1][0]
    assert sound > 12
    assert last > 0, "after a keyframe it goes on"


@pytest.mark.parametrize("name", [name for name in STREAMS if "265" not in name])
def test_the_damage_is_real(name: str) -> None:
    """The decoder alone shows pictures that no camera saw, flagged or not: without the look this test would be empty."""
    true = set(true_pictures(name))
    wrong = sum(
        samples not in true
        for seed in range(12)
        for damage in (lose_pictures, lose_units)
        for _, samples in decoded(name, damage(list(packets(name)), random.Random(seed)))
    )
    assert wrong > 10


def test_a_cut_jpeg_is_no_picture() -> None:
    """Half of it would be what the decoder's buffer held before."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "a.avi"
        run_ffmpeg("-f", "lavfi", "-i", "testsrc2=size=192x128:rate=10,trim=end_frame=3", "-c:v", "mjpeg", str(path))
        with av.open(str(path)) as film:
            whole = [bytes(packet) for packet in film.demux(video=0) if packet.size]
    codec = av.CodecContext.create("mjpeg", "r")
    assert isinstance(codec, av.VideoCodecContext)
    strict(codec)
    soundness = Soundness(codec)
    assert [soundness.sound(picture) for picture in codec.decode(av.Packet(whole[0]))] == [True]
    for share in (0.3, 0.6, 0.95):
        with pytest.raises(av.error.FFmpegError):
            codec.decode(av.Packet(whole[1][: int(share * len(whole[1]))]))
    assert [soundness.sound(picture) for picture in codec.decode(av.Packet(whole[2] + bytes(40)))] == [True]


@given(st.binary(max_size=200), st.binary(max_size=400), st.binary(max_size=400))
def test_any_bytes_are_read_to_an_answer(extradata: bytes, first: bytes, second: bytes) -> None:
    """Garbage raises nothing, in front of the stream or within it."""
    for header in (extradata, b"\x01\x64\x00\x1f\xff\xe1" + extradata):
        references = References(header)
        for packet in (first, b"\0\0\1\x65" + first, b"\0\0\1\x67" + second, b"\0\0\1\x61" + second):
            assert references.lost(packet) in (True, False)
