"""A stage for detectors: a drawn scene goes through the real privacy mask and becomes masked frames."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.base.clock import NS
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes

WIDTH, HEIGHT = 640, 360
START_NS = 1_795_600_000_000_000_000


class Stage:
    """Hands out masked frames, 10 a second by a clock of its own."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        blocks = rng.integers(60, 180, (HEIGHT // 20, WIDTH // 20), np.uint8)
        self.square: Plane = np.kron(blocks, np.ones((20, 20), np.uint8))
        self.cover = Cover.none_needed()
        self.monotonic_ns = NS
        self._mask = PrivacyMask()
        self._noise = np.random.default_rng(8)

    def frame(self, luma: Plane | None = None, after_s: float = 0.1, noise: float = 0.0) -> MaskedFrame:
        """The scene (or `luma`) as the next masked frame."""
        self.monotonic_ns += round(after_s * NS)
        planes = Planes.empty(WIDTH, HEIGHT)
        seen = self.square if luma is None else luma
        planes.y[...] = np.clip(seen + self._noise.normal(0, noise, seen.shape), 0, 255) if noise else seen
        planes.u[...] = planes.v[...] = 128
        time = FrameTime(0, self.monotonic_ns, START_NS + self.monotonic_ns)
        return self._mask.apply(RawFrame(planes, time), self.cover)

    def with_walker(self, x: int, y: int = 150, size: int = 40) -> Plane:
        """The scene with somebody dark in it, `size` x `2 * size` samples."""
        luma = self.square.copy()
        luma[y : y + 2 * size, x : x + size] = 25
        return luma

    def moved(self) -> None:
        """From the next frame on the guard says that the view has moved."""
        self.cover = Cover.closed("the view has moved", ViewState.MOVED)

    def closed(self) -> None:
        """From the next frame on the picture is closed, the view being uncertain."""
        self.cover = Cover.closed("no proof")

    def masked(self, left: float, top: float, right: float, bottom: float) -> None:
        """From the next frame on a rectangle is private."""
        corners = np.array(((left, top), (right, top), (right, bottom), (left, bottom)))
        self.cover = Cover((corners,), 0.0, None, "", "one", ViewState.VERIFIED)

    def clear(self) -> None:
        """From the next frame on nothing is masked, by statement."""
        self.cover = Cover.none_needed()


@pytest.fixture
def stage() -> Stage:
    """A fresh stage."""
    return Stage()


@pytest.fixture
def states() -> Callable[[object], list[bool]]:
    """The `State` values of a row of events, in order."""
    return lambda events: [bool(e.data["State"]) for e in events]  # type: ignore[attr-defined]
