"""Forged at random, in a real browser: of a film that is called authentic, Chromium shows exactly what was signed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from agent.evidence.report import Verdict
from bench.forgery import forgeries, originals
from bench.in_chromium import OTHER, SAME, compare, watch, watch_forged
from tests.support.browser import chromium

pytestmark = pytest.mark.lane("browser")

FORGED = Path(__file__).parent / "forged"
SEED = 5


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """An empty page."""
    with chromium() as browser:
        page = browser.new_page()
        page.set_content("<!doctype html><body></body>")
        yield page


def test_chromium_shows_of_an_authentic_film_what_was_signed(tmp_path: Path, page: Page) -> None:
    """Ten of the films that `vigie bench forgery --chromium 50` watches, and each film before it was forged."""
    made = originals(tmp_path)
    changed = (content for content in forgeries(made, SEED, 1000) if content not in made.films)
    shown = [found for _, _, found in watch_forged(page, made.films, made.ca, tmp_path, (len(made.films), 0))]
    assert shown == [SAME] * len(made.films)
    watched = list(watch_forged(page, changed, made.ca, tmp_path, (10, 0)))
    assert [verdict for _, verdict, _ in watched] == [Verdict.AUTHENTIC] * 10
    assert OTHER not in [found for _, _, found in watched]
    assert [found for _, _, found in watched].count(SAME) > 5


@pytest.mark.parametrize("name", ["e1", "e4", "e5", "e5b", "e7"])
def test_chromium_is_seen_to_show_something_else_of_forged_films(page: Page, name: str) -> None:
    """A second track, pictures behind the end, two edit lists, a matrix: so the comparison can tell."""
    honest = watch(page, (FORGED / "honest.mp4").read_bytes())
    assert len(honest.pictures) == 20
    assert compare(watch(page, (FORGED / f"{name}.mp4").read_bytes()), honest) == OTHER
