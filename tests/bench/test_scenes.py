"""The scenes that the corpus films: drawn ones everywhere, photographs where they were fetched, and words where they were not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.base.errors import ConfigurationError
from bench import scenes
from bench.scene import WIDTH, Scene


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in the place of the fetched photographs."""
    monkeypatch.setenv("VIGIE_SCENES", str(tmp_path))
    scenes.scene.cache_clear()
    yield tmp_path
    scenes.scene.cache_clear()


def test_a_photograph_that_is_missing_is_said_with_the_remedy(folder: Path) -> None:
    """Where it was looked for, and what fetches it; the drawn squares are always at hand."""
    with pytest.raises(ConfigurationError) as refused:
        scenes.scene("leuven")
    assert str(folder) in refused.value.what
    assert "make setup" in refused.value.remedy
    here, missing = scenes.at_hand(("drawn-1", "leuven"))
    assert (here, missing) == (["drawn-1"], ["leuven"])


def test_photographs_of_any_shape_fill_the_picture_and_are_lived_in(folder: Path) -> None:
    """Upright or wide, the scene is 640 wide; people walk in it, most of it stands still, and it repeats itself."""
    rng = np.random.default_rng(1)
    for name, shape in (("leuven", (563, 751)), ("bus-stop", (1080, 810)), ("temple", (200, 900))):
        noise = cv2.resize(rng.integers(0, 255, (20, 20)).astype(np.uint8), shape[::-1])
        cv2.imwrite(str(folder / scenes.PHOTOGRAPHS[name].file.replace(".jpg", ".png")), noise)
        (folder / scenes.PHOTOGRAPHS[name].file.replace(".jpg", ".png")).rename(folder / scenes.PHOTOGRAPHS[name].file)
        scene = scenes.scene(name)
        first, later = scene.at(0), scene.at(40)
        assert first.shape == (scene.height, WIDTH)
        assert 0 < np.mean(cv2.absdiff(first, later) > 0) < 0.3
        assert np.array_equal(first, scene.at(0))


def test_a_film_runs_back_so_that_nothing_jumps() -> None:
    """What comes after the last picture is the one before it, not the first: a cut would be an event of its own."""
    pictures = tuple(np.full((4, 4), grey, np.uint8) for grey in range(4))
    seen = [int(Scene("counting", pictures).at(5 * n)[0, 0]) for n in range(10)]
    assert max(abs(a - b) for a, b in pairwise(seen)) == 1
    assert set(seen) == {0, 1, 2, 3}


def test_every_scene_has_one_way_to_be_made() -> None:
    """Six scenes or more are views to guard, and three of them need no picture."""
    guardable = [name for name in scenes.NAMES if name not in scenes.PHOTOGRAPHS or scenes.PHOTOGRAPHS[name].guardable]
    assert len(guardable) >= 6
    assert sum(name.startswith("drawn") for name in guardable) == 3
