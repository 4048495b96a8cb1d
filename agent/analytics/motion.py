"""Motion: something that was not there before is there now, outside of masks, caption and ignored areas."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.analytics.held_state import HeldState
from agent.analytics.light import LightTest
from agent.analytics.sharpness import middle
from agent.base.clock import NS
from agent.base.topic import picture_state
from agent.config.model import Motion
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.planes import Plane
from agent.ports.event import Event

TOPIC = "VideoSource/MotionAlarm"
TOPICS = (picture_state(TOPIC, "Something moves.", key="motion.enabled", still=True, grade="property"),)
"""What a running detector states."""
WIDTH = 320
"""Samples; motion is looked for on a luma of about 320x180."""
EVERY_NS = NS // 7
"""Six or seven looks a second: nobody crosses a square unseen between two, and it costs a quarter."""
SCENE_S = 8.0
"""Time constant with which the remembered scene follows what is seen where nothing moves."""
OBJECT_S = 60.0
"""The same where something moves: whoever stands still becomes scenery after about this time."""
WARM_UP_S = 1.0
"""After a start, a gap or a change of light: the scene is learnt anew and nothing counts as motion."""
GLOBAL_SHARE = 0.4
"""More of the picture than this changed at once: is it still the same scene in another light?"""
SAME_SCENE = 0.5
"""Correlation of local structure above which it is."""
DAY_SPREAD, LEAST_CONTRAST = 30.0, 0.3
"""Standard deviation of the luma of a square by day; at night all differences shrink with it, down to this share."""
LEAST_STEP = 4.0
"""No smaller difference is asked for, in luma: what coding leaves."""
LEVEL_STEP = 0.1
"""Natural logarithm of the ratio of two levels from which on the light is said to have changed."""
NOISE_SIGMAS = 4.5
NOISE_EVERY = 8
"""Looks between two estimates of the noise, which changes with the light."""
_GAP_NS = 5 * NS
_CONNECT = np.ones((5, 5), np.uint8)
_AROUND = np.ones((15, 15), np.uint8)


class MotionDetector:
    """Raises `VideoSource/MotionAlarm`. One thread calls it; time comes from the frames alone."""

    def __init__(self, source: str, settings: Motion, caption: tuple[float, float] = (0.0, 0.0)) -> None:
        """`caption`: top and bottom of the caption's strip, as fractions of the picture's height."""
        self._settings = settings
        self._caption = caption
        self._state = HeldState(TOPIC, source, rise_s=0.0, fall_s=settings.hold_seconds)
        self._scene: NDArray[np.float32] | None = None
        self._last_ns = 0
        self._next_ns = 0
        self._looks = 0
        self._noise = 0.0
        self._contrast = 1.0
        self._warm_until_ns = 0
        self._hidden: Plane | None = None
        self._visible: Plane = np.empty((0, 0), np.uint8)
        self._visible_samples = 0
        self.moving_share = 0.0
        """Of the picture, in the largest moving blot of the last frame; for health and tuning."""

    def observe(self, frame: MaskedFrame) -> Sequence[Event]:
        """Look at one frame; the events that begin or end with it."""
        if not self._settings.enabled:
            return ()
        now_ns = frame.time.monotonic_ns
        if self._next_ns - EVERY_NS <= now_ns < self._next_ns:
            return ()
        self._next_ns = now_ns + EVERY_NS
        moving = False
        self.moving_share = 0.0
        if not frame.opaque:  # a closed frame shows nothing: the scene waits, the hold runs on
            moving = self._moves(frame, now_ns)
        return self._state.observe(moving, now_ns, frame.time.wall_ns)

    def silence(self, wall_ns: int, monotonic_ns: int) -> Sequence[Event]:
        """No frame: nothing moves, and what moved ends with its hold."""
        return self._state.observe(False, monotonic_ns, wall_ns) if self._settings.enabled else ()

    def _moves(self, frame: MaskedFrame, now_ns: int) -> bool:
        seen = _reduced(frame.small)
        self._look_where(frame.hidden, seen)
        scene = self._scene
        gap_ns = now_ns - self._last_ns
        self._last_ns = now_ns
        if scene is None or scene.shape != seen.shape or not 0 <= gap_ns <= _GAP_NS:
            self._learn_anew(seen, now_ns)
            return False
        if self._visible_samples == 0:
            return False
        light = max(self._mean(seen), 1.0) / max(self._mean(scene), 1.0)
        difference = np.asarray(cv2.absdiff(seen, cv2.convertScaleAbs(scene, alpha=light)), np.uint8)
        changed = self._changed(difference)
        count = cv2.countNonZero(changed)
        if count > GLOBAL_SHARE * self._visible_samples and self._is_same_scene(seen, scene):
            self._learn_anew(seen, now_ns)
            return False
        self.moving_share = count / changed.size
        if self.moving_share >= self._settings.min_area:  # else no blot can be large enough, and looking is dear
            self.moving_share, thing, has_light = self._largest_object(seen, scene, changed)
            if has_light:
                # In its new light it is the scene, all but the object: a seam would look like an object's edge.
                np.copyto(scene, seen, where=cv2.dilate(thing, _AROUND) == 0)
                cv2.bitwise_and(changed, thing * np.uint8(255), dst=changed)
        warming = now_ns < self._warm_until_ns
        self._follow(seen, scene, changed if count else None, gap_ns / NS, hurry=warming)
        return not warming and self.moving_share >= self._settings.min_area

    def _look_where(self, hidden: Plane, seen: Plane) -> None:
        """Keep the plane of what may be looked at up to date: not hidden, not captioned, not ignored."""
        if hidden is self._hidden and self._visible.shape == seen.shape:
            return
        rows, columns = seen.shape
        covered = np.empty_like(seen)
        cv2.resize(hidden, (columns, rows), dst=covered, interpolation=cv2.INTER_AREA)
        # One sample more: a mask that follows a swaying view must not look like something that moves at its edge.
        visible = (cv2.dilate(covered, np.ones((3, 3), np.uint8)) == 0).astype(np.uint8) * np.uint8(255)
        top, bottom = self._caption
        visible[int(top * rows) : int(np.ceil(bottom * rows))] = 0
        for ignored in self._settings.ignore:
            corners = np.rint(np.array(ignored.polygon) * (columns, rows) - 0.5).astype(np.int32)
            cv2.fillPoly(visible, [corners], 0)
        self._hidden, self._visible = hidden, visible
        self._visible_samples = cv2.countNonZero(visible)

    def _mean(self, luma: Plane | NDArray[np.float32]) -> float:
        """Mean of the visible samples, from every eighth row."""
        return float(cv2.mean(luma[::8], self._visible[::8])[0])

    def _changed(self, difference: Plane) -> Plane:
        """255 where a visible sample differs by more than the threshold, or the noise of late, explains."""
        if self._looks % NOISE_EVERY == 0:
            sampled = difference[::4, ::4][self._visible[::4, ::4] != 0]
            self._noise = 1.48 * middle(sampled) if sampled.size else 0.0
            if self._scene is not None:
                spread = float(cv2.meanStdDev(self._scene[::4], mask=self._visible[::4])[1][0, 0])
                self._contrast = min(1.0, max(LEAST_CONTRAST, spread / DAY_SPREAD))
        self._looks += 1
        wanted = (8.0 + 34.0 * (1.0 - self._settings.sensitivity)) * self._contrast
        threshold = max(wanted, LEAST_STEP, NOISE_SIGMAS * self._noise)
        _, changed = cv2.threshold(difference, threshold, 255, cv2.THRESH_BINARY)
        return np.asarray(cv2.bitwise_and(changed, self._visible), np.uint8)

    def _largest_object(self, seen: Plane, scene: NDArray[np.float32], changed: Plane) -> tuple[float, Plane, bool]:
        """The frame's share of the largest blot that is an object, where it lies (1), and whether larger ones were light."""
        labels, samples = _blots(changed)
        test: LightTest | None = None
        for label in np.argsort(-samples):
            share = float(samples[label]) / changed.size
            if share < self._settings.min_area:
                break
            test = test or LightTest(seen, scene, self._noise, level_changed=self._has_another_level(seen, scene))
            blot = (labels == label) & (changed != 0)
            if not test.is_light(blot):
                return share, blot.astype(np.uint8), label != np.argmax(samples)
        return 0.0, np.zeros_like(changed), test is not None

    def _has_another_level(self, seen: Plane, scene: NDArray[np.float32]) -> bool:
        """Whether the dark, the middle or the bright samples became lighter or darker by LEVEL_STEP.

        By quarters, not by the mean: an object has a say in one of them when it fills a quarter of the picture.
        """
        where = self._visible[::8, ::4] != 0
        now, then = (
            np.sort(luma[::8, ::4][where])[[n * np.count_nonzero(where) // 4 for n in (1, 2, 3)]] for luma in (seen, scene)
        )
        steps = np.log(np.maximum(now, 1.0) / np.maximum(then, 1.0))
        return bool(np.abs(steps).max() > LEVEL_STEP)

    def _is_same_scene(self, seen: Plane, known: NDArray[np.float32]) -> bool:
        """Light changes the level and keeps the edges; an object brings its own. Too dark to tell counts as light."""
        where = self._visible != 0
        a, b = _structure(seen)[where], _structure(known)[where]
        power = float(np.sqrt((a * a).mean() * (b * b).mean()))
        faded = float((a * a).mean()) < 0.1 * float((b * b).mean())
        return faded or (power > 0 and float((a * b).mean()) / power >= SAME_SCENE)

    def _learn_anew(self, seen: Plane, now_ns: int) -> None:
        self._looks = 0
        self._scene = seen.astype(np.float32)
        self._warm_until_ns = now_ns + round(WARM_UP_S * NS)

    def _follow(self, seen: Plane, scene: NDArray[np.float32], changed: Plane | None, elapsed_s: float, *, hurry: bool) -> None:
        """Let the remembered scene follow: fast where nothing changed, slowly where something did."""
        fast = 1.0 - exp(-elapsed_s / (SCENE_S / 8 if hurry else SCENE_S))
        if changed is None:
            cv2.accumulateWeighted(seen, scene, fast)
            return
        cv2.accumulateWeighted(seen, scene, fast, cv2.bitwise_not(changed))
        cv2.accumulateWeighted(seen, scene, 1.0 - exp(-elapsed_s / (SCENE_S if hurry else OBJECT_S)), changed)


def _reduced(small: Plane) -> Plane:
    """The analysis luma at about 320 wide, lightly smoothed."""
    rows, columns = small.shape
    width = min(WIDTH, columns)
    reduced = np.empty((max(1, round(rows * width / columns)), width), np.uint8)
    cv2.resize(small, (width, reduced.shape[0]), dst=reduced, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(reduced, (3, 3)), np.uint8)


def _structure(luma: Plane | NDArray[np.float32]) -> NDArray[np.float32]:
    level = luma.astype(np.float32)
    return np.asarray(level - cv2.blur(level, (9, 9)), np.float32)


def _blots(changed: Plane) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The number of the connected blot each sample lies in, and the changed samples of each; near neighbours count as one."""
    # Every other sample is enough to tell blots apart, since they are joined by more than that.
    joined = np.ascontiguousarray(cv2.dilate(changed, _CONNECT)[::2, ::2])
    _, halved = cv2.connectedComponents(joined, connectivity=8, ltype=cv2.CV_32S)
    samples = 4 * np.bincount(halved[changed[::2, ::2] != 0], minlength=1)
    rows, columns = changed.shape
    labels = halved.repeat(2, axis=0).repeat(2, axis=1)[:rows, :columns]
    return np.asarray(labels, np.int32), samples.astype(np.int64)
