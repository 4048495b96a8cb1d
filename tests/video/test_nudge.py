"""A push of the camera tells the scene from what is fixed to the camera: no patch of the reference lies on the latter."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agent.picture.planes import Plane
from agent.view.cover_geometry import private_outlines, stamp
from agent.view.excluded_area import excluded_plane
from agent.view.local_contrast import normalise, reduce
from agent.view.nudge import Nudge, NudgeResult
from agent.view.patches import REACH
from agent.view.pose import HOME, WorkingSize
from agent.view.proof import LEAST_LIKENESS
from agent.view.reference import ViewIdentity, ViewReference, blanked, temporal_median, working_frame
from agent.view.verdict import ViewVerdict
from tests.support.coded import through_h264
from tests.support.overlays import HEAVY, HOOD, USUAL, Overlay, Text
from tests.support.scenery import AROUND, DOOR, HEIGHT, WIDTH, WINDOW, seen, street

IDENTITY = ViewIdentity("0" * 64, "synthetic:", WIDTH, HEIGHT, 0)
MASKS = [WINDOW, DOOR]
OUTLINES = private_outlines([np.array(m) for m in MASKS])
FRAME = working_frame(WIDTH, HEIGHT)
NOTHING = Overlay()
PICTURES, STILLS = 18, 5
LEGIBLE = 40


def film(
    overlay: Overlay, scene: int, *, amplitude: float = 14, kbps: int = 0, noise: int = 2
) -> tuple[list[Plane], list[Plane]]:
    """The view at rest and while it is pushed there and back, five pictures a second, with the overlay on top."""
    view, rng = street(scene), np.random.default_rng(scene)
    across, down = rng.uniform(0, 2 * np.pi, 2)
    lumas = [overlay.over(seen(view, noise=noise, seed=n), n) for n in range(STILLS)]
    for n in range(PICTURES):
        swing = amplitude * np.sin(np.pi * min(1.0, 1.2 * n / PICTURES))
        dx, dy = swing * np.sin(0.3 * n + across), 0.6 * swing * np.sin(0.25 * n + down)
        lumas.append(overlay.over(seen(view, dx, dy, 0.02 * swing, noise=noise, seed=100 + n), 7 + n // 5))
    if kbps:
        lumas = through_h264(lumas, kbps)
    return lumas[:STILLS], lumas[STILLS:]


def pushed(stills: list[Plane], pictures: list[Plane]) -> NudgeResult:
    """What the push showed."""
    nudge = Nudge(blanked(temporal_median(stills), OUTLINES), OUTLINES, FRAME)
    for luma in pictures:
        nudge.look(luma)
    return nudge.result()


def commissioned(stills: list[Plane], result: NudgeResult) -> tuple[ViewReference, ViewVerdict]:
    """The reference that is taken of the view at rest after this push."""
    return ViewReference.take(stills, MASKS, IDENTITY, by="a", on="b", excluded=result.areas, patchable=result.patchable)


def legible(overlay: Overlay, scene: int) -> Plane:
    """1 on every sample of the working picture that the overlay changes by LEGIBLE levels, in any second."""
    clean = seen(street(scene), noise=0)
    apart = [cv2.absdiff(overlay.over(clean, second), clean) for second in (0, 11, 28, 37, 59)]
    there = (np.max(apart, axis=0) >= LEGIBLE).astype(np.float32)
    return np.asarray(cv2.resize(there, (FRAME.width, FRAME.height), interpolation=cv2.INTER_AREA) > 0, np.uint8)


def on(reference: ViewReference, overlay: Overlay, scene: int) -> int:
    """How many patches lie on what can be read of the overlay: a quarter of their samples, or more."""
    share = cv2.boxFilter(legible(overlay, scene).astype(np.float32), cv2.CV_32F, (2 * REACH + 1,) * 2)
    columns, rows = np.round(reference.patches.at).astype(int).T
    return int((share[rows, columns] >= 0.25).sum())


def vouching(reference: ViewReference, overlay: Overlay, scene: int) -> int:
    """How many patches beside the overlay, faint as it may be, still look right where they were once the scene has moved on."""
    moved = normalise(reduce(overlay.over(seen(street(scene), 31, 17, seed=999), 1)))
    there = cv2.dilate(overlay.covered(HEIGHT, WIDTH), np.ones((2 * 2 * REACH + 1,) * 2, np.uint8))
    columns, rows = np.round(2 * reference.patches.at).astype(int).T
    return int((there[rows, columns].astype(bool) & (reference.patches.look(moved, HOME).likeness > LEAST_LIKENESS)).sum())


texts = st.builds(
    Text,
    text=st.sampled_from(["2026-11-30 14:07:{s}", "CAM 03 MAIRIE", "{s}", "30/11 {s}s Rue Neuve", "||| {s} |||"]),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    height=st.integers(7, 26),
    level=st.integers(120, 255),
    look=st.sampled_from(["edge", "box", "plain"]),
    font=st.integers(0, 3),
)
overlays = st.builds(Overlay, st.lists(texts, max_size=5).map(tuple))


@settings(
    max_examples=int(os.environ.get("VIGIE_EXAMPLES", "4")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(overlay=overlays, scene=st.integers(1, 30), kbps=st.sampled_from([0, 0, 300, 1000]), noise=st.integers(1, 5))
def test_after_a_push_no_patch_lies_on_what_the_camera_lays_on_its_picture(
    overlay: Overlay, scene: int, kbps: int, noise: int
) -> None:
    """Texts anywhere, of any size and level, ticking or not, raw or through H.264: none is in the reference, none vouches."""
    stills, pictures = film(overlay, scene, kbps=kbps, noise=noise)
    result = pushed(stills, pictures)
    reference, _ = commissioned(stills, result)
    assert not on(reference, overlay, scene)
    assert not vouching(reference, overlay, scene)


@pytest.mark.parametrize("overlay", [USUAL, HEAVY, HOOD], ids=["usual", "heavy", "hood"])
def test_what_stayed_is_told_and_the_view_can_be_guarded_by_the_rest(overlay: Overlay) -> None:
    """The areas lie on the marks, say why, and leave a guardable view."""
    stills, pictures = film(overlay, 2)
    result = pushed(stills, pictures)
    reference, verdict = commissioned(stills, result)
    assert not result.fault
    assert verdict.guardable
    assert not on(reference, overlay, 2)
    there = cv2.resize(overlay.covered(HEIGHT, WIDTH), (FRAME.width, FRAME.height), interpolation=cv2.INTER_AREA) > 0
    assert (excluded_plane(result.areas, FRAME) > 0)[there].mean() > 0.6
    assert all("stayed where it was" in words for words in verdict.excluded)


def test_a_view_without_marks_excludes_next_to_nothing() -> None:
    """Under two per cent of the picture, on several scenes."""
    shares = [float((excluded_plane(pushed(*film(NOTHING, scene)).areas, FRAME) > 0).mean()) for scene in (1, 2, 3)]
    assert max(shares) < 0.02


def test_a_push_that_moved_nothing_says_so_and_what_to_do() -> None:
    """Nobody pushed, with and without marks: a fault in words, and no reference may be made of it."""
    for overlay in (NOTHING, HEAVY):
        result = pushed(*film(overlay, 1, amplitude=0.6))
        assert "moved nothing" in result.fault
        assert "harder" in result.remedy


def test_a_picture_that_marks_dominate_is_refused_in_words() -> None:
    """A hood over three quarters, or a window frame: what stays is more than what goes along."""
    hood = Overlay(hood=((0.0, 0.0), (1.0, 0.0), (1.0, 0.9), (0.75, 0.9), (0.75, 0.25), (0.25, 0.25), (0.25, 1.0), (0.0, 1.0)))
    result = pushed(*film(hood, 1))
    assert result.fault
    assert "switch" in result.remedy


def test_a_push_so_wild_that_nothing_is_recognised_says_so() -> None:
    """Every picture shows another place."""
    stills, _ = film(NOTHING, 1)
    result = pushed(stills, [seen(street(50 + n)) for n in range(12)])
    assert "not recognised" in result.fault or "moved nothing" in result.fault


def test_what_is_private_decides_nothing() -> None:
    """Other pixels in the private spaces, wherever the push takes them, leave areas and patches where they are.

    They may still tell the search for a movement where to begin, which is worth some hundredths of a pixel.
    """
    results = []
    for look in (0, 1):
        rng = np.random.default_rng(look)
        view = street(4)
        inside = stamp(OUTLINES, WorkingSize(WIDTH, HEIGHT)) > 0
        view[AROUND : AROUND + HEIGHT, AROUND : AROUND + WIDTH][inside] = rng.integers(0, 255, int(inside.sum()))
        stills = [seen(view, seed=n) for n in range(STILLS)]
        results.append(pushed(stills, [seen(view, 10 * np.sin(n), 6 * np.cos(n), seed=100 + n) for n in range(10)]))
    one, other = results
    assert np.mean(one.patchable != other.patchable) < 0.005
    assert np.mean(excluded_plane(one.areas, FRAME) != excluded_plane(other.areas, FRAME)) < 0.005
