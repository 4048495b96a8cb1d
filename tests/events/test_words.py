"""What an event says to a person."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from agent.events.edge import Edge
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.events.words import in_words
from agent.ports.event import Event, PropertyOperation, Value
from tests.support.manual_clock import ManualClock


@pytest.mark.parametrize(
    ("data", "edge", "words"),
    [
        ({"Failed": True, "What": "no space left"}, Edge.BEGAN, "began, What no space left"),
        ({"Failed": False, "What": ""}, Edge.ENDED, "is over"),
        ({"State": True}, Edge.BEGAN, "began"),
        ({"State": "opaque", "Reason": "no picture yet"}, Edge.BEGAN, "State opaque, Reason no picture yet"),
        ({"State": "masked", "Reason": ""}, Edge.ENDED, "State masked"),
        ({"Failed": True, "What": "x"}, Edge.HAPPENED, "What x"),
        ({}, Edge.HAPPENED, "it happened"),
        ({"Failed": True, "What": ""}, Edge.WITHDRAWN, "this state is told no more"),
        ({"Count": 0, "Failed": True}, Edge.BEGAN, "began, Count 0"),
    ],
)
def test_an_event_reads_as_a_sentence(data: dict[str, Value], edge: Edge, words: str) -> None:
    """No fact without its value, no `True` and no `False`: what became of it is said."""
    assert in_words(data, edge) == words


def test_a_state_without_fault_is_no_news_at_a_start(path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    """The log tells what begins and what is over, and says nothing of what was never so."""
    outbox = Outbox(OutboxStore(path, clock), clock)
    caplog.set_level(logging.INFO)
    for failed in (False, True, False):
        data: dict[str, Value] = {"Failed": failed, "What": "no space left" if failed else ""}
        outbox.raise_event(Event("x/Refused", 1, {"Source": "a"}, data, PropertyOperation.CHANGED))
    told = [record.getMessage() for record in caplog.records if "x/Refused" in record.getMessage()]
    assert told == ["event x/Refused: began, What no space left", "event x/Refused: is over"]
