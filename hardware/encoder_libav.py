"""H.264 in software: x264 through PyAV, for boards without a hardware encoder and for every other machine.

Frames go in without a copy where their layout allows; access units come out as Annex B with SPS and PPS in band at
each IDR picture. Keyframes are cut by media time, not by a count of frames, so that a camera that slows down at
night keeps its GOP length. GOPs are closed and there are no B-frames unless asked for: one frame in, its unit out.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.codec.context import ThreadType
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from agent.base.clock import NS
from agent.base.errors import EncoderError
from agent.base.phrase import say
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.picture.planes import Plane, Planes
from hardware.encoding import FrameOrigin, KeyframeClock, KnownFormat, parameter_sets

TICKS_PER_S: Final = 90_000
_MOST_INSIDE: Final = 512  # frames x264 may hold: far above any lookahead; older entries are lost frames
_MOST_THREADS: Final = 4

# ISO/IEC 23091-2: matrix, transfer and primaries of standard and high definition.
_BT709: Final = 1
_SMPTE170M: Final = 6
_LIMITED: Final = 1
_HD_LINES: Final = 720


class LibavEncoder:
    """One x264 instance. One thread calls `encode` and `flush`; `request_keyframe` may come from any.

    Exactly one of `bitrate_kbps` (capped: the mean over two seconds never exceeds it) and `crf` rules the rate;
    neither means crf 23. `threads` 0 takes one per core, four at most; each codes a slice of the picture. `slices` or
    `b_frames` make them code frames side by side instead, and hold back as many frames as there are threads.
    Raises EncoderError when x264 is missing or refuses the settings.
    """

    def __init__(
        self,
        width: int,
        height: int,
        fps: float,
        *,
        preset: str = "superfast",
        bitrate_kbps: int | None = None,
        crf: int | None = None,
        keyframe_seconds: float = 2.0,
        threads: int = 0,
        b_frames: int = 0,
        slices: int = 0,
    ) -> None:
        if bitrate_kbps is not None and crf is not None:
            raise EncoderError(say("bitrate_kbps and crf exclude each other"), remedy=say("Keep one of the two"))
        if width % 2 or height % 2:
            raise EncoderError(
                say("{width}x{height} is odd", width=width, height=height), remedy=say("Choose an even width and height")
            )
        self._width, self._height, self._fps = width, height, fps
        self._keyframes = KeyframeClock(keyframe_seconds)
        self._duration_ns = round(NS / fps)
        self._least_ns = max(1, self._duration_ns // 8)
        self._inside: OrderedDict[int, FrameOrigin] = OrderedDict()
        self._anchor_ns: int | None = None
        self._last_tick = -1
        self._last_pts_ns = -1
        self._format = KnownFormat()
        self._closed = False
        self._codec = self._open(
            preset, bitrate_kbps, crf, threads or max(1, min((os.cpu_count() or 1) - 1, _MOST_THREADS)), b_frames, slices
        )

    def encode(self, frame: MaskedFrame) -> Sequence[AccessUnit]:
        """The units that became ready. x264 has copied the frame on return: its buffer may be reused at once."""
        if self._closed:
            raise EncoderError(say("the encoder is flushed and takes no more pictures"), remedy=say("Open a new one"))
        planes, time = frame.planes, frame.time
        if (planes.width, planes.height) != (self._width, self._height):
            raise EncoderError(
                say(
                    "a picture of {width}x{height} came to an encoder of {width_2}x{height_2}",
                    width=planes.width,
                    height=planes.height,
                    width_2=self._width,
                    height_2=self._height,
                ),
                remedy=say("The camera must deliver [camera] width and height"),
            )
        if time.monotonic_ns <= self._last_pts_ns:
            raise EncoderError(
                say(
                    "picture {index} is not later than the one before it ({monotonic_ns} ns after {last_pts_ns} ns)",
                    index=time.index,
                    monotonic_ns=time.monotonic_ns,
                    last_pts_ns=self._last_pts_ns,
                ),
                remedy=say("The camera's monotonic time must increase with every picture"),
            )
        self._duration_ns = self._cadence(time.monotonic_ns)
        self._last_pts_ns = time.monotonic_ns
        tick = self._tick(time.monotonic_ns)
        wrapped = wrap(planes)
        wrapped.pts = tick
        wrapped.time_base = Fraction(1, TICKS_PER_S)
        if self._keyframes.due(time.monotonic_ns, self._duration_ns):
            wrapped.pict_type = PictureType.I
        self._inside[tick] = FrameOrigin.of(frame, self._duration_ns)
        if len(self._inside) > _MOST_INSIDE:
            self._inside.popitem(last=False)
        return self._run(wrapped)

    def flush(self) -> Sequence[AccessUnit]:
        if self._closed:
            return ()
        self._closed = True
        return self._run(None) if self._anchor_ns is not None else ()

    def request_keyframe(self) -> None:
        self._keyframes.request()

    @property
    def format(self) -> VideoFormat:
        return self._format.get()

    def _open(
        self, preset: str, bitrate_kbps: int | None, crf: int | None, threads: int, b_frames: int, slices: int
    ) -> VideoCodecContext:
        x264 = ["aud=0", "open-gop=0", "repeat-headers=1", "scenecut=0", "keyint=infinite", f"bframes={b_frames}"]
        if not b_frames:
            # force-cfr: x264 otherwise holds each frame until it knows the next one's time. Times pass through unchanged; only
            # the rate control then takes the nominal frame rate for granted, and a slower camera stays below its bit rate.
            x264 += ["rc-lookahead=0", "sync-lookahead=0", "mbtree=0", "force-cfr=1"]
        if slices:
            x264 += [f"slices={slices}"]
        options = {"preset": preset, "forced-idr": "1"}
        if bitrate_kbps is not None:
            x264 += [f"vbv-maxrate={bitrate_kbps}", f"vbv-bufsize={2 * bitrate_kbps}"]
        else:
            options["crf"] = str(23 if crf is None else crf)
        options["x264-params"] = ":".join(x264)
        hd = self._height >= _HD_LINES
        colour = _BT709 if hd else _SMPTE170M
        try:
            codec = av.CodecContext.create("libx264", "w")
            assert isinstance(codec, VideoCodecContext)
            codec.width, codec.height, codec.pix_fmt = self._width, self._height, "yuv420p"
            codec.time_base = Fraction(1, TICKS_PER_S)
            codec.framerate = Fraction(self._fps).limit_denominator(1001)
            codec.color_range = _LIMITED
            codec.colorspace = codec.color_primaries = codec.color_trc = colour
            codec.max_b_frames = b_frames
            codec.thread_count = threads
            # Slice threads delay nothing and cost 0.3 to 0.8 % of bytes (docs/recording.md); frame threads hold a frame each.
            codec.thread_type = ThreadType.FRAME if slices or b_frames else ThreadType.SLICE
            if bitrate_kbps is not None:
                codec.bit_rate = bitrate_kbps * 1000
            codec.options = options
            codec.open()
        except UnknownCodecError:
            raise EncoderError(
                say("this FFmpeg has no libx264"), remedy=say("Install PyAV from PyPI (`pip install av`)")
            ) from None
        except FFmpegError as error:
            raise EncoderError(
                say(
                    "x264 refuses {width}x{height} at {fps:g} fps, preset {preset}: {why}",
                    width=self._width,
                    height=self._height,
                    fps=self._fps,
                    preset=preset,
                    why=error,
                ),
                remedy=say("Check [camera] width, height, fps and [encoding]"),
            ) from error
        return codec

    def _cadence(self, now_ns: int) -> int:
        """How long this frame is likely to stand: as long as the one before it did, save for a pause, which is none."""
        if self._last_pts_ns < 0:
            return self._duration_ns
        return max(self._least_ns, min(now_ns - self._last_pts_ns, 2 * self._duration_ns))

    def _tick(self, pts_ns: int) -> int:
        if self._anchor_ns is None:
            self._anchor_ns = pts_ns
        self._last_tick = max(self._last_tick + 1, round((pts_ns - self._anchor_ns) * TICKS_PER_S / NS))
        return self._last_tick

    def _ns(self, tick: int) -> int:
        """Media time of a decoding tick, which need not be the presentation tick of any frame still inside."""
        known = self._inside.get(tick)
        assert self._anchor_ns is not None
        return known.pts_ns if known else self._anchor_ns + tick * NS // TICKS_PER_S

    def _run(self, frame: VideoFrame | None) -> list[AccessUnit]:
        try:
            packets = self._codec.encode(frame)
        except FFmpegError as error:
            raise EncoderError(say("x264 failed: {why}", why=error), remedy=say("The encoder must be opened again")) from error
        units = []
        for packet in packets:
            assert packet.pts is not None
            origin = self._inside.get(packet.pts)
            if origin is None:
                raise EncoderError(
                    say("x264 returned a picture nobody gave it (tick {pts})", pts=packet.pts), remedy=say("Report this as a bug")
                )
            data = bytes(packet)
            if not self._format.is_known:
                self._format.learn(self._width, self._height, self._fps, parameter_sets(data))
            dts_ns = origin.pts_ns if packet.dts in (None, packet.pts) else self._ns(packet.dts or 0)
            units.append(origin.unit(data, keyframe=packet.is_keyframe, dts_ns=dts_ns))
            del self._inside[packet.pts]
        return units


def wrap(planes: Planes) -> VideoFrame:
    """The planes as a libav frame: over the same memory when they lie in one I420 buffer, else a copy."""
    whole = _one_buffer(planes)
    if whole is not None:
        return VideoFrame.from_numpy_buffer(whole, "yuv420p", width=planes.width)
    frame = VideoFrame(planes.width, planes.height, "yuv420p")
    for target, plane in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
        rows = np.frombuffer(memoryview(target), np.uint8).reshape(-1, target.line_size)
        rows[: plane.shape[0], : plane.shape[1]] = plane
    return frame


def _one_buffer(planes: Planes) -> Plane | None:
    """One array over Y, U and V when they follow each other in memory as I420 (rows may be padded), else None."""
    y, u, v = planes.y, planes.u, planes.v
    stride, half = y.strides[0], u.strides[0]
    rows, width = y.shape
    if rows % 2 or width % 2 or stride != 2 * half or v.strides[0] != half:
        return None
    start = _address(y)
    if _address(u) != start + stride * rows or _address(v) != _address(u) + half * (rows // 2):
        return None
    if stride != width:
        return None  # the last padded chroma row may end before its stride does: never read past a buffer
    return np.lib.stride_tricks.as_strided(y, (rows * 3 // 2, stride), (stride, 1))


def _address(plane: Plane) -> int:
    return int(plane.__array_interface__["data"][0])
