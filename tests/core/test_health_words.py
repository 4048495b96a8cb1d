"""Health in words: what a node publishes has a name in every language, and numbers their unit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import get_type_hints

import msgspec
import pytest

from agent.base.french import in_french
from agent.base.phrase import Phrase
from agent.ports.health import Health, UplinkHealth
from agent.ports.health_part import Part
from agent.ports.health_words import name_of, said, word
from agent.uplink.reasons import in_words
from agent.uplink.small_health import with_line


def names(of: type[msgspec.Struct] = Health) -> Iterator[str]:
    """Every name that the document of a node can hold."""
    hints = get_type_hints(of)
    for field in msgspec.structs.fields(of):
        yield field.encode_name
        for kind in getattr(hints[field.name], "__args__", (hints[field.name],)):
            if isinstance(kind, type) and issubclass(kind, Part):
                yield from names(kind)


@pytest.mark.parametrize("name", sorted(set(names())))
def test_every_name_of_health_is_known(name: str) -> None:
    """A translator was shown it."""
    assert isinstance(name_of(name), Phrase), "say it in agent/ports/health_words.py"


@pytest.mark.parametrize(
    ("name", "fact", "english", "french"),
    [
        ("last_frame_age_s", 0.25, "0.2 s", "0,2\u00a0s"),
        ("free_bytes", 68_115_664_896, "68.1 GB", "68,1\u00a0Go"),
        ("throttled", None, "not known", "inconnu"),
        (
            "oldest",
            "2026-11-16T22:49:05Z",
            "2026-11-16T22:49:05Z",
            "16/11/2026 à 22\u00a0h\u00a049\u00a0min\u00a005\u00a0s\u00a0UTC",
        ),
        ("state", "frozen", "frozen", "figée"),
        ("driver", "recorder of the town", "recorder of the town", "recorder of the town"),
        ("view", {"state": "verified", "shift_px": 0.1}, "state verified, shift 0.1 px", "état vérifiée, décalage 0,1 px"),
    ],
)
def test_a_fact_in_both_languages(name: str, fact: object, english: str, french: str) -> None:
    """With its unit, and spaces that do not break where French has them."""
    words = said(name, fact)
    assert str(words) == english
    assert (in_french(words) if isinstance(words, Phrase) else words).replace("\u00a0", " ") == french.replace("\u00a0", " ")


def test_a_word_that_is_not_known_stays_what_it_is() -> None:
    """Of a later release."""
    assert word("levitating") == "levitating"


def test_a_line_that_says_why_goes_out_in_english() -> None:
    """Its reason is a phrase: a document that takes it in is plain JSON."""
    line = UplinkHealth(reason=in_words(0x89))
    told = json.loads(with_line(b'{"node": "pole-1", "uplink": {}}', line))
    assert told["uplink"]["reason"] == "the broker is busy (0x89)"
