"""Phrases over the local socket: what a command reads is what the daemon said, in any language."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.base.french import in_french
from agent.base.phrase import Phrase, amount, capital, day, instant, joined, many, moment, say, size, small
from agent.base.spelled import restored, spelled

VALUES = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e6, 1e6) | st.text(max_size=8)
LEAVES = st.one_of(
    st.builds(lambda value: say("camera: {why}", why=value), VALUES),
    st.builds(lambda number: many("{number} frame", "{number} frames", number), st.integers(0, 10**7)),
    st.builds(amount, st.floats(-1e9, 1e9), st.integers(0, 3)),
    st.builds(size, st.integers(0, 10**13)),
    st.builds(moment, st.integers(0, 4 * 10**18)),
    st.builds(day, st.dates(date(1970, 1, 1), date(2200, 1, 1))),
    st.just(instant("2026-11-30T22:49:20Z")),
)
PHRASES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: joined("; ", parts), st.lists(inner, max_size=3)),
        st.builds(lambda why: say("not signed: {why}", why=why), inner),
        st.builds(capital, inner),
        st.builds(small, inner),
    ),
    max_leaves=6,
)
DOCUMENTS = st.recursive(
    VALUES | PHRASES,
    lambda inner: st.dictionaries(st.text(max_size=4), inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=8,
)


def french(document: Any) -> Any:
    """The document with every phrase in French."""
    match document:
        case Phrase():
            return in_french(document)
        case dict():
            return {name: french(value) for name, value in document.items()}
        case list():
            return [french(value) for value in document]
        case _:
            return document


@given(document=DOCUMENTS)
def test_what_was_said_is_read_in_every_language(document: Any) -> None:
    """The English is JSON's own; the French of both sides is the same."""
    over = json.loads(json.dumps(document))
    said = json.loads(json.dumps(spelled(document)))
    there = restored(json.loads(json.dumps(document)), said)
    assert json.loads(json.dumps(there)) == over
    assert french(there) == french(document)


JSON = st.recursive(
    VALUES,
    lambda inner: st.dictionaries(st.sampled_from(["say", "fields", "glue", "parts", "x"]), inner) | st.lists(inner),
    max_leaves=8,
)


@given(
    document=JSON, said=JSON | st.lists(st.tuples(st.lists(st.integers(0, 2) | st.text(max_size=3), max_size=3), JSON).map(list))
)
def test_no_spelling_changes_a_fact(document: Any, said: Any) -> None:
    """What another release, or a broken one, says beside the document costs at most a translation."""
    before = json.dumps(document)
    assert json.dumps(restored(document, said)) == before
