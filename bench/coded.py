"""Pictures that came over a bad line: an encoder that starves, slices that never arrive, a memory that keeps old rows."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from agent.picture.planes import Plane
from bench.disturbance import FPS, Stage
from bench.provenance import Provenance
from bench.scene import WIDTH
from bench.wrapping_port import Truth
from hardware.soundness import Soundness

_START_CODE = b"\x00\x00\x01"
_SLICES = (1, 5)
_SETTLES = 4
"""Times that a commissioning picture is sent: between two of them a camera sends half a second of others."""


class Line:
    """x264 and back through FFmpeg: a picture in, a picture out."""

    def __init__(self, height: int, kbit_s: int, slices: int = 1) -> None:
        self._height = height
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = WIDTH, height, "yuv420p"
        encoder.framerate, encoder.time_base = Fraction(FPS), Fraction(1, FPS)
        encoder.bit_rate, encoder.thread_count = kbit_s * 1000, 1
        parameters = f"slices={slices}:keyint=50:scenecut=0:vbv-maxrate={kbit_s}:vbv-bufsize={kbit_s}"
        encoder.options = {"preset": "superfast", "tune": "zerolatency", "x264-params": parameters}
        decoder = av.CodecContext.create("h264", "r")
        decoder.thread_count, decoder.options = 1, {"flags": "low_delay"}
        self._encoder, self._decoder = encoder, decoder
        self._soundness = Soundness(decoder)
        self._sent = 0
        self._last: Plane | None = None
        self.corrupt = False
        """Whether the last picture is made up in part, or rests on one that is, as the camera drivers judge it."""

    def pass_on(self, picture: Plane, lost: frozenset[int] = frozenset()) -> Plane:
        """The picture as it is received, without the slices of these numbers; the one before again when nothing came."""
        planes = np.concatenate([picture, np.full((self._height // 2, WIDTH), 128, np.uint8)])
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = self._sent
        self._sent += 1
        data = b"".join(bytes(packet) for packet in self._encoder.encode(frame))
        arrived = av.Packet(without_slices(data, lost) if lost else data)
        arrived.pts = frame.pts
        self._soundness.packet(arrived)
        self.corrupt = True  # until a sound one comes
        for received in self._decoder.decode(arrived):
            for due, sound in self._soundness.judged(received):
                self._last = np.asarray(due.to_ndarray(format="gray"), np.uint8)
                self.corrupt = not sound
        return (picture if self._last is None else self._last).copy()


def without_slices(data: bytes, lost: frozenset[int]) -> bytes:
    """An access unit (Annex B) less the slices of these numbers; the first stays, for without it there is no picture."""
    starts = []
    at = data.find(_START_CODE)
    while at >= 0:
        starts.append(at)
        at = data.find(_START_CODE, at + 3)
    kept, number = [], 0
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        unit = data[start:end]
        if unit[3] & 31 in _SLICES:
            number += 1
            if number - 1 in lost and number > 1:
                continue
        kept.append(unit)
    return b"".join(kept)


class Lossy:
    """H.264 at far too few bits. A place that still shows the picture before is private where that was."""

    def __init__(self, stage: Stage, kbit_s: int = 100) -> None:
        self._line = Line(stage.height, kbit_s)
        self._provenance = Provenance()

    def reference(self, picture: Plane, n: int) -> Plane:  # noqa: ARG002
        """See Wrapping."""
        for _ in range(_SETTLES - 1):
            self._line.pass_on(picture)
        return self._line.pass_on(picture)

    def deliver(self, picture: Plane, n: int) -> Plane:  # noqa: ARG002
        """See Wrapping."""
        received = self._line.pass_on(picture)
        self._provenance.update(received, picture)
        return received

    def corrupt(self, n: int) -> bool:  # noqa: ARG002
        """See Wrapping."""
        return self._line.corrupt

    def private(self, n: int, truth: Truth) -> Plane:
        """See Wrapping."""
        return self._provenance.private(truth(n))


class LostSlices(Lossy):
    """A line that loses some slices about the event and, more seldom, at any time; the decoder makes something up."""

    _SLICES = 8

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._line = Line(stage.height, 1500, self._SLICES)
        self._rng = np.random.default_rng(int(stage.rng.integers(1 << 30)))
        self._event = stage.event
        self._often = float(stage.rng.uniform(0.2, 0.8))

    def deliver(self, picture: Plane, n: int) -> Plane:
        """See Wrapping."""
        near = abs(n - self._event) <= 2
        lost: frozenset[int] = frozenset()
        if n >= 0 and self._rng.random() < (self._often if near else 0.005):
            count = int(self._rng.integers(1, self._SLICES))
            lost = frozenset(self._rng.choice(self._SLICES, count, replace=False).tolist())
        received = self._line.pass_on(picture, lost)
        self._provenance.update(received, picture)
        return received


class Stale:
    """A receiver's memory that keeps rows or blocks of an older picture for a while, and says nothing."""

    def __init__(self, stage: Stage) -> None:
        rng = stage.rng
        self._since = stage.event - int(rng.integers(0, 3))
        self._until = stage.event + int(rng.integers(1, 50))
        self._place = _rows(rng, stage.height) if rng.random() < 0.5 else _blocks(rng, stage.height)
        self._kept: tuple[int, Plane] | None = None

    def reference(self, picture: Plane, n: int) -> Plane:  # noqa: ARG002
        """See Wrapping."""
        return picture

    def deliver(self, picture: Plane, n: int) -> Plane:
        """See Wrapping."""
        if n == self._since:
            self._kept = n, picture.copy()
        if self._kept is not None and n < self._until:
            return np.where(self._place, self._kept[1], picture)
        return picture

    def corrupt(self, n: int) -> bool:  # noqa: ARG002
        """See Wrapping."""
        return False

    def private(self, n: int, truth: Truth) -> Plane:
        """See Wrapping."""
        if self._kept is not None and n < self._until:
            return np.where(self._place, truth(self._kept[0]), truth(n))
        return truth(n)


def _rows(rng: np.random.Generator, height: int) -> Plane:
    place = np.zeros((height, WIDTH), np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        first = int(rng.integers(0, height // 16)) * 16
        place[first : first + int(rng.integers(1, 10)) * 16] = 255
    return place


def _blocks(rng: np.random.Generator, height: int) -> Plane:
    side = int(rng.choice([16, 32, 64, 128]))
    grid = rng.random((height // side + 1, WIDTH // side + 1)) < rng.uniform(0.1, 0.6)
    return (np.kron(grid, np.ones((side, side))) * 255).astype(np.uint8)[:height, :WIDTH]
