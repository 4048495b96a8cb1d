"""What the broker had is kept for a day, so that a hub that lost it can ask again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import ClockQuality
from agent.events import sent_rows
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.events.replay_window import KEPT_S
from agent.ports.event import Event, Priority
from tests.support.manual_clock import ManualClock

DAY_S = 24 * 3600


def made(path: Path | None, clock: ManualClock) -> Outbox:
    """An outbox without its thread."""
    return Outbox(OutboxStore(path, clock), clock)


def raise_some(outbox: Outbox, count: int, size: int = 10) -> None:
    """Events, on disk."""
    for _ in range(count):
        outbox.raise_event(Event("Test/Number", 1, {}, {"X": "x" * size}, priority=Priority.ALARM))
    outbox.write_once()


def deliver(outbox: Outbox, clock: ManualClock, count: int) -> list[int]:
    """The broker takes so many, and outlives them by the replay window."""
    taken = [row.sequence for row in outbox.take(count, count)]
    for sequence in taken:
        outbox.acknowledge(sequence)
    clock.advance(KEPT_S + 1)
    outbox.heard()
    outbox.write_once()
    return taken


@pytest.fixture
def outbox(path: Path, clock: ManualClock) -> Iterator[Outbox]:
    """With its opening event and nine more, of which the broker has had six."""
    found = made(path, clock)
    raise_some(found, 9)
    deliver(found, clock, 6)
    yield found
    found._store.close()


def span(outbox: Outbox, first: int, last: int, most: int = 100) -> tuple[list[int], int, int]:
    """What comes again, what waits, and how far that reaches."""
    found = outbox.again(outbox.metrics().epoch, first, last, most)
    return [row.sequence for row in found.rows], found.waiting, found.reached


def test_a_hub_gets_again_what_it_had(outbox: Outbox) -> None:
    """What was acknowledged comes with its number; what was not waits, and comes by itself; each is as it was."""
    assert span(outbox, 1, 10) == ([1, 2, 3, 4, 5, 6], 4, 10)
    assert span(outbox, 3, 4) == ([3, 4], 0, 4)
    assert outbox.pending == 4


def test_what_was_acknowledged_a_moment_ago_comes_as_well(outbox: Outbox) -> None:
    """It lies in the outbox still, for the next connection; the hub may have lost it on this one."""
    outbox.acknowledge(outbox.take(1, 1)[0].sequence)
    assert span(outbox, 1, 10) == ([1, 2, 3, 4, 5, 6, 7], 3, 10)


def test_a_long_span_is_asked_for_in_parts(outbox: Outbox) -> None:
    """Each answer says how far it reaches; the parts are the whole, each once."""
    parts, first = [], 1
    while first <= 10:
        rows, _, reached = span(outbox, first, 10, most=4)
        parts += rows
        first = reached + 1
    assert parts == [1, 2, 3, 4, 5, 6]


def test_another_epoch_is_another_count(outbox: Outbox) -> None:
    """The same numbers under a name that this database never bore."""
    assert outbox.again("01ABC", 1, 10, 100).rows == []


def test_it_outlives_a_restart_and_ends_after_a_day(outbox: Outbox, path: Path, clock: ManualClock) -> None:
    """A day later it is gone, unless the clock cannot tell that a day has passed."""
    outbox._store.close()
    again = made(path, clock)
    clock.clock_quality = ClockQuality.UNSET
    clock.advance(DAY_S + 1)
    again.write_once()
    assert span(again, 1, 10)[0] == [1, 2, 3, 4, 5, 6]
    clock.clock_quality = ClockQuality.SYNCHRONISED
    clock.advance(60)
    again.write_once()
    assert span(again, 1, 10) == ([], 4, 10)
    again._store.close()


def test_the_oldest_of_too_many_go_and_large_ones_are_not_kept(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node on a small card keeps what fits, whatever is raised."""
    monkeypatch.setattr(sent_rows, "ROWS_MOST", 5)
    outbox = made(path, clock)
    raise_some(outbox, 9)
    raise_some(outbox, 1, size=sent_rows.BODY_MOST)
    deliver(outbox, clock, 20)
    clock.advance(60)
    outbox.write_once()
    assert span(outbox, 1, 11)[0] == [6, 7, 8, 9, 10]
    outbox._store.close()


def test_a_database_of_an_earlier_version_begins_to_keep(path: Path, clock: ManualClock) -> None:
    """The table is made where it is missing, and the count goes on."""
    outbox = made(path, clock)
    raise_some(outbox, 2)
    outbox._store.close()
    with sqlite3.connect(path) as earlier:
        earlier.execute("DROP TABLE sent")
    again = made(path, clock)
    deliver(again, clock, 10)
    assert span(again, 1, 3)[0] == [1, 2, 3]
    again._store.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 6), max_size=6), st.integers(1, 30), st.integers(0, 30), st.integers(1, 9))
def test_every_number_is_sent_again_or_waits(delivered: list[int], first: int, length: int, most: int) -> None:
    """Of a span that was given out nothing is unaccounted for, however it is asked for."""
    clock = ManualClock()
    outbox = made(None, clock)
    raise_some(outbox, 29)
    for count in delivered:
        deliver(outbox, clock, count)
    last = min(first + length, 30)
    sent = waiting = 0
    while first <= last:
        rows, some, reached = span(outbox, first, last, most)
        assert len(rows) + some == reached - first + 1
        sent, waiting, first = sent + len(rows), waiting + some, reached + 1
    assert outbox.pending == max(0, 30 - sum(delivered))
    outbox._store.close()
