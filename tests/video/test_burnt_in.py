"""What is burnt into the picture is found while nothing moves: most texts, hardly anything of a scene, nothing private."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

from agent.picture.planes import Plane
from agent.view.burnt_in import burnt_in
from agent.view.cover_geometry import private_outlines, stamp
from agent.view.excluded_area import ExcludedArea, Ground, excluded_plane
from agent.view.patches import REACH
from agent.view.pose import WorkingSize
from agent.view.reference import ViewIdentity, ViewReference, working_frame
from tests.support.coded import through_h264
from tests.support.overlays import CLOCK, HEAVY, USUAL, Overlay, Text
from tests.support.scenery import DOOR, HEIGHT, WIDTH, WINDOW, seen, street

IDENTITY = ViewIdentity("0" * 64, "synthetic:", WIDTH, HEIGHT, 0)
MASKS = [WINDOW, DOOR]
OUTLINES = private_outlines([np.array(m) for m in MASKS])
FRAME = working_frame(WIDTH, HEIGHT)
WORDS = ("2026-11-30 14:07:{s}", "CAM 03 MAIRIE", "30/11 {s}s Rue Neuve", "PLACE DU MARCHE")


def at_rest(overlay: Overlay, scene: int, kbps: int = 0, noise: int = 2) -> list[Plane]:
    """Nine pictures, 0.7 s apart."""
    lumas = [overlay.over(seen(street(scene), noise=noise, seed=n), int(0.7 * n)) for n in range(9)]
    return through_h264(lumas, kbps) if kbps else lumas


def patches_on(lumas: list[Plane], overlay: Overlay, areas: tuple[ExcludedArea, ...] = ()) -> tuple[int, int]:
    """How many patches of the reference have a quarter of their samples on the overlay, and how many there are."""
    reference, _ = ViewReference.take(lumas, MASKS, IDENTITY, by="a", on="b", excluded=areas)
    covered = overlay.covered(HEIGHT, WIDTH) > 0
    columns, rows = np.round(2 * reference.patches.at).astype(int).T
    reach = 2 * REACH + 1
    shares = [
        covered[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach].mean() for x, y in zip(columns, rows, strict=True)
    ]
    return int((np.array(shares) >= 0.25).sum()), len(reference.patches)


def random_overlay(rng: np.random.Generator, *, usual: bool) -> Overlay:
    """One to three texts: `usual`, bright, edged or on a field, along the upper or lower border; else any, anywhere."""
    texts = []
    for _ in range(int(rng.integers(1, 4))):
        row = float(rng.choice([rng.uniform(0, 0.05), rng.uniform(0.95, 1)])) if usual else float(rng.uniform(0, 1))
        texts.append(
            Text(
                str(rng.choice(WORDS)),
                (float(rng.uniform(0, 1)), row),
                int(rng.integers(9, 23)) if usual else int(rng.integers(7, 27)),
                int(rng.integers(225, 256)) if usual else int(rng.integers(120, 256)),
                str(rng.choice(["edge", "box"] if usual else ["edge", "box", "plain"])),
                int(rng.integers(0, 4)),
            )
        )
    return Overlay(tuple(texts))


@pytest.mark.parametrize(("usual", "most"), [(True, 0.01), (False, 0.12)], ids=["usual", "any"])
def test_almost_no_patch_lies_on_a_text(usual: bool, most: float, record_property: Callable[[str, object], None]) -> None:
    """Raw, at 300 and at 1000 kbit/s, with little and much noise: the share of all patches that still lie on one."""
    rng = np.random.default_rng(17)
    on = before = total = 0
    for _ in range(int(os.environ.get("VIGIE_EXAMPLES", "8"))):
        overlay, scene = random_overlay(rng, usual=usual), int(rng.integers(1, 40))
        lumas = at_rest(overlay, scene, int(rng.choice([0, 300, 1000])), int(rng.integers(1, 5)))
        before += patches_on(lumas, overlay)[0]
        now, all_of_them = patches_on(lumas, overlay, burnt_in(lumas, OUTLINES, FRAME))
        on, total = on + now, total + all_of_them
    record_property("share", on / total)
    print(f"{on} of {total} patches lie on a text, {before} would without the search")
    assert before > 10
    assert on <= most * total


@pytest.mark.parametrize("kbps", [0, 300, 1000])
def test_a_view_without_overlay_excludes_next_to_nothing(kbps: int) -> None:
    """Four scenes: under half a per cent of the picture, raw or coded."""
    for scene in range(1, 5):
        areas = burnt_in(at_rest(Overlay(), scene, kbps), OUTLINES, FRAME)
        assert (excluded_plane(areas, FRAME) > 0).mean() < 0.005


@pytest.mark.parametrize("overlay", [USUAL, HEAVY], ids=["usual", "heavy"])
def test_what_is_found_says_why(overlay: Overlay) -> None:
    """Each area lies on a text, and one of them ticks or is burnt in, in words with its place."""
    areas = burnt_in(at_rest(overlay, 2), OUTLINES, FRAME)
    covered = overlay.covered(HEIGHT, WIDTH)
    for area in areas:
        assert covered[excluded_plane([area], WorkingSize(WIDTH, HEIGHT)) > 0].any()
        assert "across" in area.words()
    assert {area.ground for area in areas} == {Ground.TICKS, Ground.BURNT_IN}


def test_what_ticks_is_found_on_a_coded_picture_without_noise() -> None:
    """Seconds change while everything around is still; a walker, who changes more, is none."""
    lumas = at_rest(Overlay((Text("{s}", (0.5, 0.6), 20),)), 3, 300)
    assert any(area.ground is Ground.TICKS for area in burnt_in(lumas, OUTLINES, FRAME))
    walker = at_rest(Overlay(), 3)
    for n, luma in enumerate(walker):
        luma[200:260, 60 + 30 * n : 84 + 30 * n] = 20
    assert not burnt_in(walker, OUTLINES, FRAME)


def test_what_is_private_leaves_no_trace_in_what_is_found() -> None:
    """Other samples behind the masks, a clock among them, and the same areas."""
    inside = stamp(OUTLINES, WorkingSize(WIDTH, HEIGHT)) > 0
    lumas, rng = at_rest(Overlay((CLOCK,)), 1), np.random.default_rng(3)
    changed = [luma.copy() for luma in lumas]
    for n, luma in enumerate(changed):
        luma[inside] = Overlay((Text("14:07:{s}", (0.42, 0.4), 20),)).over(luma, n)[inside]
        luma[inside] += rng.integers(0, 9, int(inside.sum())).astype(np.uint8)
    assert burnt_in(changed, OUTLINES, FRAME) == burnt_in(lumas, OUTLINES, FRAME)
