"""The words of a page: whose language it speaks, and that its scripts say nothing the catalogue lacks."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import SystemClock
from agent.base.language import Language
from agent.console.feed import EventTap
from agent.console.preview import Preview
from agent.console.server import Console
from agent.console.words import script, sentences, told, wanted
from agent.journal.register import Register
from tests.console.test_server import Kept
from tests.support.deadline import until
from tools.write_catalogue import said_in_scripts

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "agent/console/static", ROOT / "agent/live/static"]


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.8,en;q=0.5", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,fr;q=0.3,en;q=0.2", "fr"),
        ("de, *;q=0.5", "en"),
        ("fr;q=0", "en"),
        ("fr;q=, en", "en"),
        ("FR-fr", "fr"),
    ],
)
def test_the_browser_says_what_it_reads(accepted: str, spoken: Language) -> None:
    """The first of the most wanted that is spoken here; English where none is."""
    assert wanted(None, accepted) == spoken


@given(accepted=st.text(max_size=600))
def test_any_header_is_answered_and_the_key_goes_first(accepted: str) -> None:
    """Whatever a browser sends: a language, and that of `[node] language` where it is set."""
    assert wanted(None, accepted) in ("en", "fr")
    assert [wanted(configured, accepted) for configured in ("en", "fr")] == ["en", "fr"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_sentence_of_a_page_has_its_french(page: Path) -> None:
    """What the node finds in the scripts is what a translator was shown, and French is there for all of it."""
    assert sorted(sentences(page)) == sorted(said_in_scripts(page))
    handed = script(page, "fr")
    words = json.loads(re.findall(r"const words = (\{.*?\n\});", handed, re.DOTALL)[0])
    assert sorted(words) == sorted(sentences(page))
    assert "const words = {};" in script(page, "en")


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A page, left to the browser's language."""
    clock = SystemClock()
    preview = Preview(clock, Register(tmp_path / "register.jsonl", clock))
    health = {"node": "pole-1", "version": "1", "camera": {"state": "delivering", "last_frame_age_s": 0.25}}
    console = Console("127.0.0.1", 0, clock, health=lambda: health, preview=preview, events=EventTap(Kept()))
    console.start()
    until(lambda: console.url, "the page has its port")
    yield console
    console.stop()
    assert console.join(30)


@pytest.mark.parametrize(
    ("accepted", "row"),
    [
        ("en", {"name": "last frame age", "words": "0.2 s", "bad": False}),
        ("fr", {"name": "âge de l’image", "words": "0,2 s", "bad": False}),
    ],
)
def test_each_visitor_reads_health_in_their_language(console: Console, accepted: str, row: dict[str, object]) -> None:
    """Names, numbers and words; the document for machines is the same for both."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(console.url).port or 0, timeout=30)
    connection.request("GET", "/live", headers={"Accept-Language": accepted})
    answer = connection.getresponse()
    lines = iter(answer.readline, b"")
    data = next(line for line in lines if line.startswith(b"data: "))
    assert row in json.loads(data[6:])["cards"][0]["rows"]
    connection.close()
    connection.request("GET", "/health.json", headers={"Accept-Language": accepted})
    assert json.loads(connection.getresponse().read())["camera"] == {"state": "delivering", "last_frame_age_s": 0.25}
    connection.close()


def test_what_is_no_phrase_stays_as_it_is() -> None:
    """A name that somebody gave is nobody's to translate."""
    assert told("recording", "fr") == "recording"
