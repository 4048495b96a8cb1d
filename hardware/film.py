"""An open film: demuxed, decoded, what is broken in it skipped and counted."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeAlias

import av
import av.container
import av.error
import av.stream
import av.video.stream

from agent.base.clock import NS
from agent.base.errors import CameraEnded, CameraError
from agent.base.phrase import say
from agent.base.system_words import system_words
from hardware.soundness import Soundness, strict

LONGEST_GAP_NS = 10 * NS
"""A longer pause between two frames, or a step back, is a broken timestamp: it counts as one frame period."""
BROKEN_IN_A_ROW = 500
"""So many unreadable packets without one frame between them, and the rest of the film is given up."""
_INDEXED = frozenset({"avi", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"})
"""Containers that find their first packet again and keep each packet's time in the file: the rest follows the same way."""
_FORGETFUL = frozenset({"h264", "mjpeg", "mpeg4"})
"""Decoders that a flush makes as good as new, as long as the film goes by what its header said."""

_Packet: TypeAlias = "av.Packet[av.video.stream.VideoStream]"


class DecodedFrame(NamedTuple):
    """A decoded frame, its time since the first one of the film, and whether it is damaged or rests on a damaged one."""

    frame: av.VideoFrame
    media_ns: int
    corrupt: bool


class _Mark(NamedTuple):
    """What a packet is known again by; times in ticks of its stream, `at` is its byte in the file."""

    pts: int | None
    dts: int | None
    at: int | None
    key: bool
    size: int
    sum: int


class FilmDecoder:
    """The open container: demuxes, decodes, skips what is broken, and knows how far it came. One thread.

    What is on disk when a pass begins is what that pass plays: a film that was replaced meanwhile is opened anew, one that
    was removed raises CameraError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.broken = 0
        self._shown = 0
        self._reached_ns = 0
        self._cut_off = False
        self._first: _Mark | None = None
        self._ahead: _Packet | None = None
        """The first packet, when `rewind` has read it."""
        self._file = _identity(path)
        self._container, self._stream = _open(path)
        self._repeatable = self._may_repeat()
        self.rate = _plausible_rate(self._stream)
        self.size = self._stream.width, self._stream.height
        """Width and height in pixels, as the container says."""
        self.pixel_aspect = Fraction(self._stream.sample_aspect_ratio or 1)
        self.period_ns = round(NS / self.rate)

    def rewind(self) -> None:
        """Start over. Every pass gives the frames a fresh opening gives, so that is what happens unless seeking surely does.

        Opening probes the film with a second decoder, whose frames leave holes in the heap, and runs through program pages
        that playing does not need: 4.5 MB more resident from the second pass of a 1080p film on (`vigie bench node`).
        """
        self._shown = 0
        if self._back_at_first():
            return
        self._container.close()
        del self._stream  # with its decoder: the new one shall find that memory free
        self._first = self._ahead = None
        self._file = _identity(self._path)
        self._container, self._stream = _open(self._path)
        self._repeatable = self._may_repeat()

    def close(self) -> None:
        self._container.close()

    def frames(self, base_ns: int) -> Iterator[DecodedFrame]:
        """One pass; the first frame has media time `base_ns`. Raises CameraError when there is not one."""
        media_ns, last_ns = base_ns, None
        soundness = Soundness(self._stream.codec_context)
        for frame in self._decoded(soundness):
            corrupt = not soundness.sound(frame)
            at_ns = None if frame.pts is None or frame.time_base is None else _ns(frame.pts, frame.time_base)
            if self._shown:
                step_ns = self.period_ns if at_ns is None or last_ns is None else at_ns - last_ns
                media_ns += step_ns if 0 < step_ns <= LONGEST_GAP_NS else self.period_ns
            last_ns = at_ns
            if (frame.width, frame.height) != self.size:
                self._repeatable = False  # the film goes by another header than the one in front of it
            self._shown += 1
            self._reached_ns = media_ns - base_ns + self.period_ns
            yield DecodedFrame(frame, media_ns, corrupt)
            del frame  # kept while the next one is decoded, it would cost the decoder one more
        if not self._shown:
            raise CameraError(
                say(
                    "film {path} holds no frame that can be decoded ({broken} broken packets)",
                    path=self._path,
                    broken=self.broken,
                ),
                remedy=say("Check that it plays (`ffplay`), then set camera.source to a film that does"),
            )

    def ended(self) -> CameraEnded:
        """What to say after the last frame: over, or broken off before the length its header promises."""
        duration, time_base = self._stream.duration, self._stream.time_base
        promised_ns = _ns(duration, time_base) if duration and time_base else 0
        # The AVI reader shortens the duration to what is there, but not the count of frames.
        promised_ns = max(promised_ns, self._stream.frames * self.period_ns)
        if self._cut_off or promised_ns - self._reached_ns > max(NS // 2, 3 * self.period_ns):
            promise = f" of {promised_ns / NS:.1f} s" if promised_ns else ""
            return CameraEnded(
                say(
                    "film {path} breaks off after {seconds:.1f} s{promise}: it is cut short or damaged",
                    path=self._path,
                    seconds=self._reached_ns / NS,
                    promise=promise,
                ),
                remedy=say("Copy it again from where it came from, and name that in camera.source"),
            )
        return CameraEnded(
            say("film {path} is over after {shown} frames", path=self._path, shown=self._shown),
            remedy=say("Set camera.loop to play it for ever"),
        )

    def refused(self, error: av.error.FFmpegError) -> CameraError:
        """A frame that cannot be converted."""
        return CameraError(
            say(
                "film {path}: its frames cannot be turned into YUV 4:2:0 ({why})",
                path=self._path,
                why=system_words(error.strerror),
            ),
            remedy=say("Convert it first: `ffmpeg -i FILM -pix_fmt yuv420p OUT.mp4`"),
        )

    def _decoded(self, soundness: Soundness) -> Iterator[av.VideoFrame]:
        inside, inside_at_first = 0, None
        for packet in self._packets():
            soundness.packet(packet)
            try:
                frames = packet.decode()
            except av.error.EOFError:
                break
            except av.error.FFmpegError:
                soundness.failed()
                self.broken += 1
                self._repeatable = False
                continue
            if packet.size:
                inside += 1 - len(frames)
                if frames and inside_at_first is None:
                    inside_at_first = inside
            while frames:
                yield frames.pop(0)
        # A decoder that has come to hold back more frames than at first would begin the next pass differently.
        if inside != inside_at_first:
            self._repeatable = False

    def _packets(self) -> Iterator[_Packet]:
        """Packets to the end, and the empty one that flushes the decoder; reads on behind unreadable ones."""
        if self._ahead is not None:
            packet, self._ahead = self._ahead, None
            yield packet
        in_a_row = 0
        while in_a_row < BROKEN_IN_A_ROW:
            try:
                for packet in self._container.demux(self._stream):
                    if self._first is None:
                        self._first = _mark(packet)
                    if packet.has_sidedata("new_extradata"):
                        self._repeatable = False  # another header from here on, which a flush does not take back
                    yield packet
                    in_a_row = 0
                return
            except av.error.FFmpegError:
                self.broken += 1
                self._repeatable = False
                in_a_row += 1
        self._cut_off = True

    def _may_repeat(self) -> bool:
        return self._container.format.name in _INDEXED and self._stream.codec_context.name in _FORGETFUL

    def _back_at_first(self) -> bool:
        """Seek to the first packet and flush the decoder; whether the container stands where it did when it was opened."""
        first = self._first
        if first is None or not first.key or not self._repeatable or _identity(self._path) != self._file:
            return False
        at = first.pts if first.dts is None else first.dts
        if at is None:
            return False
        try:
            self._container.seek(at, stream=self._stream)
            self._ahead = next(self._container.demux(self._stream), None)
        except av.error.FFmpegError:
            return False
        return self._ahead is not None and _mark(self._ahead) == first


def _mark(packet: _Packet) -> _Mark:
    return _Mark(packet.pts, packet.dts, packet.pos, packet.is_keyframe, packet.size, zlib.crc32(bytes(packet)))


def _identity(path: Path) -> tuple[int, ...]:
    """Another one as soon as the file was replaced or written to; empty when there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _open(path: Path) -> tuple[av.container.InputContainer, av.video.stream.VideoStream]:
    remedy = say("Set camera.source to a film that FFmpeg reads")
    if not path.exists():
        raise CameraError(say("film {path} does not exist", path=path), remedy=remedy)
    if not path.is_file():
        raise CameraError(
            say("{path} is {what}, not a film", path=path, what=say("a directory") if path.is_dir() else say("no regular file")),
            remedy=remedy,
        )
    try:
        # `file:` and the whitelist: a playlist handed in as a film must not reach out to the network.
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except PermissionError:
        raise CameraError(
            say("film {path} may not be read", path=path),
            remedy=say("Give the service's user read access to it: `sudo chmod o+r {path}`", path=path),
        ) from None
    except (av.error.FFmpegError, OSError) as error:
        reason = (
            say("is empty")
            if path.stat().st_size == 0
            else say("cannot be read as a film ({why})", why=system_words(error.strerror))
        )
        raise CameraError(
            say("film {path} {why}: cut short, damaged, or no film at all", path=path, why=reason), remedy=remedy
        ) from None
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        container.close()
        raise CameraError(say("{path} holds no video, only sound or other streams", path=path), remedy=remedy)
    stream = streams[0]
    if stream.codec_context is None:
        container.close()
        raise CameraError(say("film {path} has a codec that this FFmpeg cannot decode", path=path), remedy=remedy)
    # One thread: threads of the decoder hold a frame each, and a second core is worth more to the encoder.
    stream.codec_context.thread_count = 1
    strict(stream.codec_context)
    return container, stream


def _plausible_rate(stream: av.video.stream.VideoStream) -> Fraction:
    for rate in (stream.guessed_rate, stream.average_rate):
        if rate and 0 < rate <= 240:
            return rate
    return Fraction(25)


def _ns(ticks: int, time_base: Fraction) -> int:
    return ticks * time_base.numerator * NS // time_base.denominator
