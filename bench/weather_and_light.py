"""A film of weather and light in which nothing moves, and walkers by day and by night: what the motion detector says of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from agent.analytics.motion import EVERY_NS, MotionDetector
from agent.base.clock import NS
from agent.config.model import Motion
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.cover import Cover
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from agent.ports.event import PropertyOperation
from bench.scene import drawn_square

LOOKS_A_SECOND = round(NS / EVERY_NS)
EVENT_EVERY_S = 20
NIGHT_GAIN, NIGHT_NOISE = 0.15, 3.0


class Watched:
    """A detector at its defaults behind the real mask; it is shown lumas, and counts the alarms it raises."""

    def __init__(self) -> None:
        self._detector = MotionDetector("bench", Motion())
        self._mask = PrivacyMask()
        self._index = 0
        self.alarms = 0

    def show(self, luma: Plane) -> bool:
        """One look; whether an alarm began."""
        self._index += 1
        height, width = luma.shape
        chroma = np.full((height // 2, width // 2), 128, np.uint8)
        time = FrameTime(self._index, self._index * EVERY_NS + NS, 10**18 + self._index * EVERY_NS)
        frame: MaskedFrame = self._mask.apply(RawFrame(Planes(luma, chroma, chroma.copy()), time), Cover.none_needed())
        began = any(
            event.data["State"] and event.operation is PropertyOperation.CHANGED for event in self._detector.observe(frame)
        )
        self.alarms += began
        return began


def false_alarms_an_hour(minutes: float, seed: int) -> float:
    """Alarms over so many minutes of lamps, exposure steps, gamma, clouds, rain and noise, scaled to an hour."""
    watched = Watched()
    for luma in weather(minutes, seed):
        watched.show(luma)
    return watched.alarms * 60 / minutes


def weather(minutes: float, seed: int) -> Iterator[Plane]:
    """The drawn square at LOOKS_A_SECOND: every EVENT_EVERY_S something else happens to its light, for half that time."""
    rng = np.random.default_rng(seed)
    scene = drawn_square(seed).pictures[0].astype(np.float64)
    columns = np.arange(scene.shape[1])
    length = EVENT_EVERY_S * LOOKS_A_SECOND
    for _ in range(max(1, round(minutes * 60 / EVENT_EVERY_S))):
        kind = str(rng.choice(["lamp", "exposure", "gamma", "cloud", "rain", "noise"]))
        strength, sign = rng.uniform(0.3, 1.0), rng.choice([-1, 1])
        for look in range(length):
            on = length // 4 < look < 3 * length // 4
            shown, grain = scene, 1.5
            if kind == "lamp" and on:
                lit = np.exp(-(((columns - 320) / 160.0) ** 2))
                shown = scene * (1 + strength * lit)
            elif kind == "exposure" and on:
                shown = scene * (1 + strength if sign > 0 else 1 / (1 + strength))
            elif kind == "gamma" and on:
                shown = 255 * (scene / 255) ** (1 + 0.4 * strength * sign)
            elif kind == "cloud":
                edge = (look / length) * 2 * scene.shape[1] - scene.shape[1] / 2
                shown = scene * (1 - 0.5 * strength / (1 + np.exp(-(edge - columns) / 30.0)))
            elif kind == "rain" and on:
                shown = scene.copy()
                for x, y in zip(rng.integers(0, 636, 60), rng.integers(0, 340, 60), strict=True):
                    shown[y : y + 14, x] += 40
            elif kind == "noise" and on:
                grain = 6.0 * strength
            yield np.clip(shown + rng.normal(0, grain, scene.shape), 16, 235).astype(np.uint8)


def walkers_seen(count: int, seed: int, *, night: bool) -> float:
    """The share of walkers in dark and light coats who raise an alarm while they cross."""
    rng = np.random.default_rng(seed)
    scene = drawn_square(seed).pictures[0].astype(np.float64)
    gain, grain = (NIGHT_GAIN, NIGHT_NOISE) if night else (1.0, 1.5)
    seen = 0
    for number in range(count):
        watched = Watched()
        coat, row = (20.0 if number % 2 else 225.0), int(rng.integers(100, 220))
        for look in range(5 * LOOKS_A_SECOND):
            shown = scene.copy()
            left = 40 + 22 * (look - 3 * LOOKS_A_SECOND)
            if look >= 3 * LOOKS_A_SECOND:
                shown[row : row + 80, left : left + 32] = coat
            lit = np.clip(16 + (shown - 16) * gain + rng.normal(0, grain, scene.shape), 16, 235).astype(np.uint8)
            if watched.show(lit):
                seen += 1
                break
    return seen / count
