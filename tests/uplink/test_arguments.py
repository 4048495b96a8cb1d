"""The arguments of commands: nothing is converted, nothing unknown is let through, and all that is amiss is named in words."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from agent.operations.arguments import WrongArguments
from agent.operations.payloads import Bookmark, Hold, Ping, Request, SetHealthInterval, Snapshot
from agent.operations.verbs import COMMANDS

SPAN = {"from": "2026-06-01T11:00:00Z", "to": "2026-06-01T11:10:00Z"}
GOOD: dict[type[Request], dict[str, Any]] = {
    Ping: {},
    Snapshot: {"width": 320},
    SetHealthInterval: {"seconds": 5},
    Bookmark: {"incident": "26-1", "note": "red car", **SPAN},
    Hold: {"reference": "PV 1", "until": "2026-07-01T00:00:00Z", **SPAN},
}
SECONDS = "should be a number from 1 to 3600"
WIDTH = "should be a whole number from 64 to 960"
INCIDENT = "should be a text of 1 to 64 characters"
LEGIBLE = "must be printable, on one line, without space around it"
TIME = "should be a time with its offset, such as 2026-11-23T10:15:00Z"
PLAUSIBLE = "must lie between 2020 and 2200"


def faults(model: type[Request], **changed: object) -> list[tuple[str, str]]:
    """What is found wrong with good arguments after this change; a key is written as on the wire."""
    with pytest.raises(WrongArguments) as wrong:
        model.checked({"token": "x", **GOOD[model], **changed})
    return wrong.value.faults


@pytest.mark.parametrize("model", GOOD)
def test_good_arguments_are_taken(model: type[Request]) -> None:
    """Each under its name on the wire, and written back as it came."""
    document = {"token": "x", **GOOD[model]}
    assert msgspec.to_builtins(model.checked(document)) == document


@pytest.mark.parametrize(
    "value", [True, False, None, "5", "", [], [5], {}, 0, 0.999, 3600.1, -5, 10**400, math.nan, math.inf, -math.inf]
)
def test_a_number_is_a_number_within_its_bounds(value: object) -> None:
    """No boolean, no text, nothing that is no number, and nothing beyond every number."""
    assert faults(SetHealthInterval, seconds=value) == [("seconds", SECONDS)]


@pytest.mark.parametrize("value", [True, None, "320", 320.0, 320.5, 63, 961, 10**4000, math.nan, [320]])
def test_a_whole_number_is_written_as_one(value: object) -> None:
    """320.0 is none, and nothing is rounded."""
    assert faults(Snapshot, width=value) == [("width", WIDTH)]


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        *[(value, INCIDENT) for value in (5, 5.0, True, None, [], ["a"], {"a": "b"}, "", "x" * 65)],
        *[
            (value, LEGIBLE)
            for value in ("26-1\n", " 26-1", "26-1 ", "2\n6", "\0", "26\x00", "\u202e", "\ud800", "26\u00a0", "\x7f")
        ],
    ],
)
def test_a_text_is_legible(value: object, wrong: str) -> None:
    """One line without what hides or breaks it: no newline at its end, no NUL, no half of a surrogate pair."""
    assert faults(Bookmark, incident=value) == [("incident", wrong)]


NO_TIMES: tuple[object, ...] = (1780312000, 1780312000.0, True, None, [], math.nan, "2026-02-30T00:00:00Z")


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        *[(value, TIME) for value in ("2026-06-01T11:05:00", "2026-06-01", "2026-06-01T11:05:00Z\n", "1780312000", "11:05", "")],
        *[(value, TIME) for value in NO_TIMES],
        *[(value, PLAUSIBLE) for value in ("2019-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59")],
    ],
)
def test_a_time_has_its_offset_and_is_plausible(value: object, wrong: str) -> None:
    """No local time, no number of seconds, no day that is none, nothing from another century."""
    assert faults(Bookmark, to=value) == [("to", wrong)]


def test_what_may_be_left_out_may_be_null_only_where_that_is_said() -> None:
    """`until` may be null, a note may not; and the words say so."""
    assert Hold.checked({"token": "x", **GOOD[Hold], "until": None}).until is None
    assert faults(Hold, until=5) == [("until", f"{TIME} or null")]
    assert faults(Bookmark, note=None) == [("note", "should be a text of at most 200 characters")]


@pytest.mark.parametrize(("minutes", "good"), [(-1, False), (0, False), (1, True), (24 * 60, True), (24 * 60 + 1, False)])
def test_a_span_begins_before_it_ends_and_is_no_longer_than_a_day(minutes: int, good: bool) -> None:
    """Judged once both ends are right by themselves."""
    begins = datetime(2026, 6, 1, 11, tzinfo=UTC)
    span = {"from": begins.isoformat(), "to": (begins + timedelta(minutes=minutes)).isoformat()}
    if good:
        assert Bookmark.checked({"token": "x", **GOOD[Bookmark], **span}).from_ == begins
    else:
        said = "the span must begin before it ends, and last 24 h at most"
        assert faults(Bookmark, **span) == [("the request", said)]


def test_all_that_is_wrong_is_named_in_the_order_of_the_fields() -> None:
    """What is missing, what is wrong and what is not known, in one go; the name in Python is no name on the wire."""
    with pytest.raises(WrongArguments) as wrong:
        Bookmark.checked({"colour": "red", "note": 7, "token": "x", "from_": SPAN["from"], "incident": ""})
    assert wrong.value.faults == [
        ("from", "is missing"),
        ("to", "is missing"),
        ("incident", INCIDENT),
        ("note", "should be a text of at most 200 characters"),
        ("colour", "is not known here"),
        ("from_", "is not known here"),
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_has_its_words(name: str) -> None:
    """Whatever a verb is given in place of an argument, what it should be is said, and without msgspec's own words."""
    request = COMMANDS[name].request
    names = [field.encode_name for field in msgspec.structs.fields(request)]
    with pytest.raises(WrongArguments) as wrong:
        request.checked(dict.fromkeys(names, object()))
    assert [field for field, _ in wrong.value.faults] == names
    assert not [what for _, what in wrong.value.faults if "another kind" in what or "`" in what or not what.startswith("should")]
