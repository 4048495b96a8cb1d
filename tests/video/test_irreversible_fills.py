"""Letters behind mosaic and blur: an attacker with all templates and 100 frames guesses; against the usual fills he reads."""

from __future__ import annotations

import pytest

from bench.fonts import fonts
from bench.irreversible import FRAMES, NOT_OFFERED, OFFERED, measure, most_by_guessing

LARGE = 84
FONT = fonts()["simplex"]


@pytest.mark.parametrize("swaying", [False, True], ids=["still", "swaying"])
@pytest.mark.parametrize("fill", ["mosaic", "blur"])
def test_letters_behind_an_offered_fill_are_guessed(fill: str, swaying: bool) -> None:
    """Letters as large as the mask allows, 100 frames, static and swaying: recognition is at chance."""
    assert FRAMES == 100
    verdict = measure(OFFERED[fill], FONT, LARGE, swaying=swaying)
    assert verdict.at_chance, f"{verdict.right} of {verdict.asked} read"


@pytest.mark.parametrize(("fill", "swaying"), [(0, True), (1, False), (2, False)])
def test_the_attacker_reads_behind_fills_made_of_pixels(fill: int, swaying: bool) -> None:
    """The same attacker reads nearly all behind the usual mosaic and blur, and behind a coarse, anchored, dithered mosaic."""
    verdict = measure(list(NOT_OFFERED.values())[fill], FONT, LARGE, swaying=swaying, frames=20)
    assert verdict.share > 0.8, f"{verdict.right} of {verdict.asked} read"


def test_the_bound_of_guessing() -> None:
    """One in 26 on average; five of 26 are passed once in a thousand measurements at most."""
    assert most_by_guessing(26) == 5
    assert most_by_guessing(2600) < 2600 * 0.052
