"""Fragmented MP4: the header by libavformat, the fragments by hand, so that we alone decide when bytes reach the file.

libavformat can only be told to cut a fragment by the packet that follows it, and never when it has written one; the
promise "at most one second is lost" hangs on exactly that. A fragment is two small boxes (ISO/IEC 14496-12: `moof`,
`mdat`) and is built here; the header with its codec configuration is the library's.
NAL units are kept bit by bit: start codes become lengths, nothing else changes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from msgspec import Struct

from agent.base.clock import NS
from agent.base.errors import EncoderError
from agent.base.phrase import say
from agent.picture.access_unit import AccessUnit, VideoFormat

TICKS_PER_S: Final = 90_000
_SYNC: Final = 0x02000000  # depends on no other sample
_NON_SYNC: Final = 0x01010000  # depends on others, is no sync sample
_SLICES: Final = range(1, 6)  # nal_unit_type, ITU-T H.264 table 7-1
_PARAMETER_SETS: Final = (7, 8)
_UNDECODED: Final = {"skip_frame": "all"}
"""Parameter sets are all a header needs: decoding the frame would cost some 20 ms and, at 1080p, 6 MB a segment."""


class LibavMuxer:
    """One segment. `sink` receives whole boxes only: the header with the first fragment, then one fragment a call.

    Sample times count from the decoding time of the first unit, in 1/90000 s, each rounded from its own nanoseconds:
    errors do not add up. One thread.
    """

    def __init__(self, sink: Callable[[bytes], None], video: VideoFormat) -> None:
        self._sink = sink
        self._video = video
        self._pending: list[_Sample] = []
        self._base_ns: int | None = None
        self._sequence = 0
        self._length = 0

    def write(self, unit: AccessUnit) -> None:
        """Append one unit to the open fragment; nothing reaches the sink but, once, the header."""
        if self._base_ns is None:
            self._base_ns = unit.dts_ns
            self._put(_known_header(unit.data, self._video))
        self._pending.append(_Sample(length_prefixed(unit.data), unit.keyframe, unit.dts_ns, unit.pts_ns, unit.duration_ns))

    def end_fragment(self, next_dts_ns: int | None = None) -> int:
        """Hand the open fragment to the sink. `next_dts_ns`, when known, makes the last sample's duration exact."""
        if self._pending:
            samples, self._pending = self._pending, []
            assert self._base_ns is not None
            self._sequence += 1
            self._put(_fragment(samples, self._sequence, self._base_ns, next_dts_ns))
        return self._length

    def close(self) -> int:
        return self.end_fragment()

    def _put(self, boxes: bytes) -> None:
        self._sink(boxes)
        self._length += len(boxes)


_latest: tuple[bytes, VideoFormat, bytes] | None = None


def _known_header(keyframe: bytes, video: VideoFormat) -> bytes:
    """The last header made, when these are its parameter sets: nothing else of a frame goes into one.

    A node begins a segment every minute; making each header anew would keep 2 MB of libavformat's code resident.
    """
    global _latest
    sets = _parameter_sets(keyframe)
    if _latest is None or not sets or (sets, video) != _latest[:2]:
        _latest = sets, video, header(keyframe, video)
    return _latest[2]


def _parameter_sets(annex_b: bytes) -> bytes:
    """All that stands before the first slice and is SPS or PPS, start codes included."""
    sets: list[bytes] = []
    start = annex_b.find(b"\x00\x00\x01")
    while start >= 0:
        kind = annex_b[start + 3 : start + 4]
        if kind and kind[0] & 0x1F in _SLICES:
            break
        end = annex_b.find(b"\x00\x00\x01", start + 3)
        if kind and kind[0] & 0x1F in _PARAMETER_SETS:
            sets.append(annex_b[start : end if end >= 0 else len(annex_b)].rstrip(b"\x00"))  # of the next start code
        start = end
    return b"".join(sets)


def header(keyframe: bytes, video: VideoFormat) -> bytes:
    """`ftyp` and `moov` for a film that begins with this access unit. Raises EncoderError when it is no H.264 keyframe."""
    out = io.BytesIO()
    try:
        options: Any = [_UNDECODED]  # PyAV's stub takes names here, its code dictionaries
        with av.open(io.BytesIO(keyframe), format="h264", stream_options=options) as film:
            container = av.open(out, "w", format="mp4", options={"movflags": "empty_moov+default_base_moof+skip_trailer"})
            assert isinstance(container, OutputContainer)
            stream = container.add_stream_from_template(film.streams.video[0])
            assert isinstance(stream, VideoStream)
            stream.time_base = Fraction(1, TICKS_PER_S)
            container.start_encoding()
            made = out.getvalue()
            container.close()
    except (FFmpegError, IndexError) as error:
        raise EncoderError(
            say("a segment cannot begin with this access unit: {why}", why=error),
            remedy=say("It must be a {codec} keyframe with SPS and PPS", codec=video.codec),
        ) from error
    return made


class _Sample(Struct, frozen=True):
    """An access unit as the file holds it. Its own bytes are let go at once: a fragment is half a megabyte, each copy counts."""

    data: bytes
    keyframe: bool
    dts_ns: int
    pts_ns: int
    duration_ns: int


def _fragment(samples: list[_Sample], sequence: int, base_ns: int, next_dts_ns: int | None) -> bytes:
    """`moof` and `mdat` of these samples, in decoding order."""
    decode = [_ticks(sample.dts_ns - base_ns) for sample in samples]
    last_ns = next_dts_ns if next_dts_ns is not None else samples[-1].dts_ns + samples[-1].duration_ns
    ends = [*decode[1:], max(_ticks(last_ns - base_ns), decode[-1] + 1)]
    table = b"".join(
        struct.pack(
            ">IIIi",
            end - start,
            len(sample.data),
            _SYNC if sample.keyframe else _NON_SYNC,
            _ticks(sample.pts_ns - base_ns) - start,
        )
        for sample, start, end in zip(samples, decode, ends, strict=True)
    )

    def moof(data_offset: int) -> bytes:
        run = _box(b"trun", struct.pack(">IIi", 0x01000F01, len(samples), data_offset), table)
        track = _box(b"tfhd", struct.pack(">II", 0x020000, 1)) + _box(b"tfdt", struct.pack(">IQ", 0x01000000, decode[0])) + run
        return _box(b"moof", _box(b"mfhd", struct.pack(">II", 0, sequence)), _box(b"traf", track))

    size = 8 + sum(len(sample.data) for sample in samples)
    return b"".join((moof(len(moof(0)) + 8), struct.pack(">I4s", size, b"mdat"), *(sample.data for sample in samples)))


def length_prefixed(annex_b: bytes) -> bytes:
    """The same NAL units, each behind its length in four bytes instead of a start code."""
    parts: list[bytes] = []
    start = annex_b.find(b"\x00\x00\x01")
    while start >= 0:
        end = annex_b.find(b"\x00\x00\x01", start + 3)
        # A NAL unit never ends in a zero byte: what is left there belongs to the next start code.
        nal = annex_b[start + 3 : end if end >= 0 else len(annex_b)].rstrip(b"\x00")
        parts += (struct.pack(">I", len(nal)), nal)
        start = end
    return b"".join(parts)


def _ticks(ns: int) -> int:
    return (ns * TICKS_PER_S + NS // 2) // NS


def _box(kind: bytes, *parts: bytes) -> bytes:
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)
