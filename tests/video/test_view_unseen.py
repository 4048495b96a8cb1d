"""A scene that the night takes away while what lies before the lens stays bright, and that comes back at another place."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.planes import Plane
from agent.view.guard import ViewGuard
from agent.view.reference import ViewReference
from agent.view.relocation import SteppedRelocation
from tests.support.scenery import HEIGHT, WIDTH, seen, street
from tests.video.test_view_guard import IDENTITY, MASKS, STREET, uncovered, watch

FAR = (38.0, 14.0)
OTHER = street(77)
DUSK, NIGHT, DAWN, DAY = 110, 20, 30, 90


def web(count: int) -> NDArray[np.float32]:
    """Threads before the lens, 1 where they are; too soft for a text and with the sensor's noise upon them."""
    rng, threads = np.random.default_rng(5), np.zeros((HEIGHT, WIDTH), np.uint8)
    for x, y, a, b in rng.integers(-40, 60, (count, 4)).tolist():
        place = (int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT)))
        cv2.line(threads, (place[0] + x, place[1] + y), (place[0] + a, place[1] + b), 255, 2, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(threads, (0, 0), 0.9), np.float32) / np.float32(255)


WEB, DENSE = web(60), web(130)


def pictured(
    contrast: float, place: tuple[float, float], seed: int, what: Plane = STREET, before: NDArray[np.float32] = WEB
) -> Plane:
    """The street, or another one, with so much of its contrast behind the web."""
    scene = seen(what, *place, noise=0, seed=seed).astype(np.float32)
    veiled = contrast * scene + (1 - contrast) * 12
    grain = np.random.default_rng(seed).normal(0, 2, veiled.shape)
    return np.asarray(np.clip(veiled * (1 - before) + 205 * before + grain, 0, 255), np.uint8)


def test_a_scene_that_returns_elsewhere_is_found_though_the_web_never_moved() -> None:
    """Knocked in the dark: in full light nothing private is bare, and the view is followed."""
    stills = [pictured(1.0, (0, 0), seed) for seed in range(5)]
    taken, _ = ViewReference.take(stills, MASKS, IDENTITY, by="a technician", on="today")
    guarding = ViewGuard(taken, MASKS, 0.01, SteppedRelocation(taken.landmarks))
    contrasts = [1.0] * 6 + [0.96**n for n in range(DUSK)] + [0.005] * NIGHT
    covers = watch(guarding, [pictured(c, (0, 0), n) for n, c in enumerate(contrasts)])
    dawn = [0.005 * 200 ** (n / DAWN) for n in range(DAWN)] + [1.0] * DAY
    covers = watch(guarding, [pictured(c, FAR, 500 + n) for n, c in enumerate(dawn)], len(contrasts))
    assert [uncovered(cover, *FAR) for cover in covers[DAWN + 30 :]] == [0] * (DAY - 30)
    assert not covers[-1].opaque


def test_what_is_fixed_to_the_camera_opens_no_way_home() -> None:
    """Followed to another place, and then the scene is gone: the web that stays at home is no view that jumped."""
    taken, _ = ViewReference.take(
        [pictured(1.0, (0, 0), seed, before=DENSE) for seed in range(5)], MASKS, IDENTITY, by="a technician", on="today"
    )
    guarding = ViewGuard(taken, MASKS, 0.01, SteppedRelocation(taken.landmarks))
    watch(guarding, [pictured(1.0, (0, 0), n, before=DENSE) for n in range(6)])
    covers = watch(guarding, [pictured(1.0, (8.0, 4.0), 20 + n, before=DENSE) for n in range(4)], 6)
    assert not covers[-1].opaque
    covers = watch(guarding, [pictured(1.0, (0, 0), 60 + n, OTHER, DENSE) for n in range(12)], 10)
    assert {cover.opaque for cover in covers[3:]} == {"much of the view is not where it was"}
