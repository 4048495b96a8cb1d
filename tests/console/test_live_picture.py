"""What the page says of its picture, in a real browser: live, old, or refused and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from agent.base.clock import NS, SystemClock
from agent.base.errors import RegisterError
from agent.console.feed import EventTap
from agent.console.preview import EVERY_NS, Preview
from agent.console.server import Console
from agent.journal.register import Register
from tests.console.test_server import Kept
from tests.support.deadline import until

pytestmark = pytest.mark.lane("browser")

HEALTH = {
    "node": "pole-1",
    "version": "1",
    "privacy": {"state": "masked", "reason": "", "masks": 1, "view": {"state": "verified"}},
    "camera": {"state": "delivering", "reason": ""},
    "components": {},
}


class Drawn(Preview):
    """A preview whose pictures the test lets come, or holds back; `refusal` keeps viewers out."""

    coming = True
    refusal = ""

    def watch(self, by: str):  # type: ignore[no-untyped-def]  # as Preview has it
        if self.refusal:
            raise RegisterError(self.refusal)
        return super().watch(by)

    def next(self, after: int, timeout_s: float) -> tuple[int, bytes] | None:
        held_back = super().next(10**9, timeout_s if not self.coming else EVERY_NS / NS)  # as often as a real one, or not at all
        if not self.coming:
            return held_back
        picture = np.full((90, 160, 3), after % 200, np.uint8)
        return after + 1, cv2.imencode(".jpg", picture)[1].tobytes()


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[Console, Drawn]]:
    """A served page of a node that says it runs."""
    clock = SystemClock()
    preview = Drawn(clock, Register(tmp_path / "register.jsonl", clock))
    console = Console("127.0.0.1", 0, clock, health=lambda: HEALTH, preview=preview, events=EventTap(Kept()))
    console.start()
    until(lambda: console.url, "the page has its port")
    yield console, preview
    console.stop()
    assert console.join(30)


def test_a_picture_without_news_is_marked_as_old(page: tuple[Console, Drawn], browser: Browser) -> None:
    """While pictures come: running, masked. None for two seconds: the old one is grey, and the page says so until one comes."""
    console, preview = page
    shown = browser.new_page()
    shown.goto(console.url)
    expect(shown.locator("#verdict")).to_have_text("running, masked", timeout=120_000)
    preview.coming = False
    expect(shown.locator("#news")).to_have_text(re.compile("Old picture: no newer one for [0-9]+ s"), timeout=120_000)
    expect(shown.locator("#picture")).to_have_class(re.compile("old"))
    expect(shown.locator("#verdict")).to_have_text("running, but no live picture here", timeout=120_000)
    preview.coming = True
    expect(shown.locator("#verdict")).to_have_text("running, masked", timeout=120_000)
    expect(shown.locator("#news")).to_be_hidden()
    shown.close()


FRENCH = {
    "verdict": "en marche, masqué",
    "privacy": "1 masque couvre l’image ; la vue est vérifiée.",
    "news": "Image ancienne : rien de neuf depuis",
    "old": "en marche, mais sans image en direct ici",
}


def test_a_french_browser_reads_french(page: tuple[Console, Drawn], browser: Browser) -> None:
    """Verdict, masks, cards, and what the page says by itself; the document says which language it is in."""
    console, preview = page
    with browser.new_context(locale="fr-FR") as context:
        shown = context.new_page()
        shown.goto(console.url)
        expect(shown.locator("#verdict")).to_have_text(FRENCH["verdict"], timeout=120_000)
        expect(shown.locator("#privacy")).to_have_text(FRENCH["privacy"])
        expect(shown.locator("#cards h2")).to_have_text(["caméra", "composants"])
        expect(shown.locator("#happened")).to_have_text("Événements")
        expect(shown.locator("html")).to_have_attribute("lang", "fr")
        preview.coming = False
        expect(shown.locator("#news")).to_contain_text(FRENCH["news"], timeout=120_000)
        expect(shown.locator("#verdict")).to_have_text(FRENCH["old"], timeout=120_000)


def test_a_page_left_open_over_a_restart_says_so(page: tuple[Console, Drawn], browser: Browser) -> None:
    """The node goes away: its last picture is not shown as live."""
    console, _ = page
    shown = browser.new_page()
    shown.goto(console.url)
    expect(shown.locator("#verdict")).to_have_text("running, masked", timeout=120_000)
    console.stop()
    assert console.join(30)
    expect(shown.locator("#picture")).to_have_class(re.compile("old"), timeout=120_000)
    expect(shown.locator("#verdict")).to_have_text("the node does not answer", timeout=120_000)
    shown.close()


def test_a_refused_viewer_reads_why(page: tuple[Console, Drawn], browser: Browser) -> None:
    """No place, or no entry in the register: the page shows the reason instead of an empty frame under `running`."""
    console, preview = page
    preview.refusal = "the disk is full"
    shown = browser.new_page()
    shown.goto(console.url)
    expect(shown.locator("#news")).to_contain_text("No live picture", timeout=120_000)
    expect(shown.locator("#news")).to_contain_text("the disk is full")
    expect(shown.locator("#verdict")).to_have_text("running, but no live picture here", timeout=120_000)
    shown.close()
