"""The view guard: masks lie where the scenery says, in the very frame, or the picture is covered."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from agent.base.errors import MaskError
from agent.config.polygon import Polygon
from agent.picture.cover import Cover, ViewState
from agent.picture.planes import Plane
from agent.view.guard import ViewGuard
from agent.view.reference import ViewIdentity, ViewReference
from agent.view.relocation import SteppedRelocation
from tests.support.scenery import DOOR, HEIGHT, WIDTH, WINDOW, frame, seen, street

STREET = street()
MASKS = [WINDOW, DOOR]
IDENTITY = ViewIdentity("0" * 64, "synthetic:", WIDTH, HEIGHT, 0)


def reference_of(scene: Plane, masks: list[Polygon]) -> ViewReference:
    """The reference of a scene seen five times."""
    return ViewReference.take([seen(scene, seed=i) for i in range(5)], masks, IDENTITY, by="a technician", on="today")[0]


REFERENCE = reference_of(STREET, MASKS)


def guard() -> ViewGuard:
    """A guard of STREET whose search repeats exactly."""
    return ViewGuard(REFERENCE, MASKS, 0.01, SteppedRelocation(REFERENCE.landmarks))


def watch(guarding: ViewGuard, pictures: Iterable[Plane], first: int = 0) -> list[Cover]:
    """The guard's cover of each picture."""
    return [guarding.observe(frame(picture, i)) for i, picture in enumerate(pictures, first)]


def uncovered(cover: Cover, dx: float = 0.0, dy: float = 0.0, degrees: float = 0.0, zoom: float = 1.0) -> int:
    """How many pixels of WINDOW and DOOR, where the camera really shows them, the cover leaves clear."""
    if cover.opaque:
        return 0
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, zoom)
    turn[:, 2] += np.array((dx, dy))
    private, covered = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    for mask in MASKS:
        corners = np.array(mask) * (WIDTH, HEIGHT) @ turn[:, :2].T + turn[:, 2]
        cv2.fillPoly(private, [np.round(corners).astype(np.int32)], 255)
    for polygon in cover.polygons:
        corners = np.round(polygon * (WIDTH, HEIGHT)).astype(np.int32)
        cv2.fillPoly(covered, [corners], 255)
        cv2.polylines(covered, [corners], True, 255, max(1, round(2 * cover.grow * WIDTH)))
    if cover.view is not None:
        known = np.zeros_like(covered)
        cv2.fillPoly(known, [np.round(cover.view * (WIDTH, HEIGHT)).astype(np.int32)], 255)
        covered |= ~known
    return int(np.count_nonzero(private & ~covered))


def test_a_still_camera_gives_one_cover_after_a_few_frames() -> None:
    """The first frames are verified behind a closed picture, then the same digest comes again and again."""
    covers = watch(guard(), [seen(STREET, seed=i) for i in range(12)])
    assert covers[0].opaque
    clear = [c for c in covers if not c.opaque]
    assert len(clear) >= 9
    assert len({c.digest for c in clear}) == 1
    assert clear[0].state is ViewState.VERIFIED
    assert clear[0].view is None


@pytest.mark.parametrize(
    "off", [(3, 1, 0.0, 1.0), (-18, 9, 0.0, 1.0), (30, -22, 1.5, 1.0), (60, 30, 0.0, 1.0), (8, 4, 4.0, 1.03)]
)
def test_after_a_knock_the_masks_lie_on_the_windows_in_every_frame(off: tuple[float, float, float, float]) -> None:
    """Frame by frame from the knock on: covered where the windows are now, or the whole picture is."""
    dx, dy, degrees, zoom = off
    guarding = guard()
    watch(guarding, [seen(STREET, seed=i) for i in range(6)])
    covers = watch(guarding, [seen(STREET, dx, dy, degrees, zoom, seed=i) for i in range(20)], 6)
    assert [uncovered(c, dx, dy, degrees, zoom) for c in covers] == [0] * 20
    assert not covers[-1].opaque
    assert covers[-1].shift_px == pytest.approx(np.hypot(dx, dy), abs=0.5) or degrees or zoom != 1.0


def test_masks_fixed_to_the_sensor_would_have_leaked() -> None:
    """The measure itself can fail: a cover that does not follow leaves private pixels clear."""
    guarding = guard()
    still = watch(guarding, [seen(STREET, seed=i) for i in range(6)])[-1]
    assert uncovered(still) == 0
    assert uncovered(still, 30, -22) > 1000


@pytest.mark.parametrize("off", [(30.0, 10.0), (-60.0, 20.0), (80.0, -40.0)])
def test_a_knock_is_followed_without_searching_every_patch(monkeypatch: pytest.MonkeyPatch, off: tuple[float, float]) -> None:
    """The overall shift leads to it: open on the very frame, and optical flow at most for the few patches left over."""
    guarding = guard()
    watch(guarding, [seen(STREET, seed=i) for i in range(6)])
    followed: list[int] = []
    flow = cv2.calcOpticalFlowPyrLK

    def counted(before: Plane, now: Plane, points: Plane, *rest: object, **options: object) -> object:
        followed.append(len(points))
        return flow(before, now, points, *rest, **options)  # type: ignore[call-overload]

    monkeypatch.setattr("agent.view.finder.cv2.calcOpticalFlowPyrLK", counted)
    (cover,) = watch(guarding, [seen(STREET, *off, seed=7)], first=6)
    assert not cover.opaque
    assert uncovered(cover, *off) == 0
    assert sum(followed) < 0.25 * len(REFERENCE.patches)


@pytest.mark.parametrize("torn_at", [0.2, 0.25, 0.4])
def test_after_a_torn_picture_the_next_whole_one_is_shown(torn_at: float) -> None:
    """Knocked during the read-out: most rows agree on the new place, but not enough; one closed picture, then open there."""
    off = (30.0, 10.0)
    torn, row = seen(STREET, *off, seed=6), round(torn_at * HEIGHT)
    torn[:row] = seen(STREET, seed=6)[:row]
    pictures = [*(seen(STREET, seed=i) for i in range(6)), torn, seen(STREET, *off, seed=7)]
    *_, at_the_knock, after = watch(guard(), pictures)
    assert at_the_knock.opaque
    assert not after.opaque
    assert uncovered(after, *off) == 0


def test_half_a_view_in_another_place_stays_closed_for_some_pictures() -> None:
    """What does not come back whole on the next picture has to be proved as often as any other view."""
    off = (30.0, 10.0)
    other = street(5)
    pictures = []
    for i in range(6, 10):
        half = seen(STREET, *off, seed=i)
        half[: round(0.22 * HEIGHT)] = seen(other, seed=i)[: round(0.22 * HEIGHT)]
        pictures.append(half)
    covers = watch(guard(), [*(seen(STREET, seed=i) for i in range(6)), *pictures])
    assert all(cover.opaque for cover in covers[6:9])


def test_another_scene_is_covered_and_the_old_one_opens_again() -> None:
    """Turned away: closed; turned back: clear after a few frames, without anyone's hand."""
    guarding = guard()
    watch(guarding, [seen(STREET, seed=i) for i in range(6)])
    away = watch(guarding, [seen(street(2), seed=i) for i in range(30)], 6)
    assert all(c.opaque for c in away)
    assert "view" in away[0].opaque
    back = watch(guarding, [seen(STREET, seed=i) for i in range(15)], 36)
    assert not back[-1].opaque


def test_a_view_lost_for_long_counts_as_moved() -> None:
    """Turned away for good: the state says moved, for the alarm."""
    guarding = guard()
    grey = np.full((HEIGHT, WIDTH), 90, np.uint8)
    assert watch(guarding, [grey] * 260)[-1].state is ViewState.MOVED


def test_a_view_found_far_away_opens_only_after_several_proved_frames() -> None:
    """What only the search finds again is shown after three proved frames, not at once."""
    guarding = guard()
    watch(guarding, [seen(STREET, seed=i) for i in range(6)])
    watch(guarding, [np.full((HEIGHT, WIDTH), 90, np.uint8)] * 5, 6)
    covers = watch(guarding, [seen(STREET, 90, 40, seed=i) for i in range(30)], 11)
    assert covers[0].opaque
    assert covers[1].opaque
    assert all(uncovered(c, 90, 40) == 0 for c in covers)
    assert not covers[-1].opaque


def test_a_lorry_that_drives_on_gives_the_view_back() -> None:
    """It hides nearly all, drives on and stops at the edge: what was hidden and comes back is the scene, whatever is gone now."""
    body = seen(street(seed=9), seed=1)
    guarding = guard()
    watch(guarding, [seen(STREET, seed=i) for i in range(6)])

    def passing(left: int, seed: int) -> Plane:
        picture = seen(STREET, seed=seed)
        picture[:, max(0, left) : left + WIDTH] = body[:, max(0, -left) : WIDTH - max(0, left)]
        return picture

    before, ways = 6, [*range(-WIDTH, 0, 12), *[0] * 5, *range(0, round(0.7 * WIDTH), 12), *[round(0.7 * WIDTH)] * 6]
    covers = watch(guarding, [passing(left, n) for n, left in enumerate(ways)], before)
    assert covers[len(range(-WIDTH, 0, 12)) + 4].opaque
    assert not covers[-1].opaque
    assert [uncovered(cover) for cover in covers] == [0] * len(covers)


def test_a_frame_of_another_size_is_covered() -> None:
    """A camera that delivers another resolution than was validated shows nothing."""
    cover = guard().observe(frame(np.zeros((480, 640), np.uint8)))
    assert "640x480" in cover.opaque


def test_a_fault_inside_the_guard_covers_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised inside, `observe` returns an opaque cover."""
    guarding = guard()
    watch(guarding, [seen(STREET, seed=i) for i in range(6)])
    monkeypatch.setattr(guarding._tracker, "track", lambda _: 1 / 0)
    assert guarding.observe(frame(seen(STREET))).opaque == "the view guard failed: ZeroDivisionError"


def test_a_guard_without_masks_is_refused() -> None:
    """No polygons is no mask set."""
    with pytest.raises(MaskError):
        ViewGuard(REFERENCE, [], 0.01)
