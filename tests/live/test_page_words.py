"""What the live page says, in both of its languages."""

from __future__ import annotations

import re
from pathlib import Path

from agent.live import web_server

STATIC = Path(web_server.__file__).parent / "static"
SENTENCE = re.compile(r'^  "([^"]+)": "(.+)",$', re.MULTILINE)


def sentences(name: str) -> dict[str, str]:
    """Of one script, by their keys."""
    return dict(SENTENCE.findall((STATIC / name).read_text(encoding="utf-8")))


def test_every_sentence_of_the_page_is_there_in_french_with_the_same_places() -> None:
    """And none that the page does not know; each that the scripts ask for exists."""
    english, french = sentences("words.js"), sentences("french.js")
    assert english.keys() == french.keys()
    for key, text in english.items():
        assert re.findall(r"\{\d\}", text) == re.findall(r"\{\d\}", french[key]), key
    scripts = "".join((STATIC / name).read_text(encoding="utf-8") for name in ("live.js", "pane.js"))
    assert set(re.findall(r'say\("([^"]+)"', scripts)) <= english.keys()
