"""The outbox's two sides: what detectors hand in, and what the session takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.base.clock import SystemClock
from agent.base.errors import OutboxError
from agent.events import epoch
from agent.events.bounds import Bounds, ClassBounds
from agent.events.epoch import Beginning
from agent.events.outbox import STILL_MOST_BYTES, Outbox
from agent.events.outbox_store import OutboxStore
from agent.events.replay_window import KEPT_AGAIN_S, KEPT_S
from agent.events.row import Kind, Row, event_of
from agent.ports.event import Event, Priority, PropertyOperation
from tests.support.database_errors import full_database
from tests.support.manual_clock import ManualClock


def event(number: int, priority: Priority = Priority.ALARM) -> Event:
    """An event that carries a number."""
    return Event("Test/Number", 1_790_000_000_000_000_000, {}, {"N": number}, priority=priority)


def numbers(rows: list[Row]) -> list[int]:
    """The numbers that came."""
    return [event_of(row.body).data["N"] for row in rows if row.kind is Kind.EVENT and b'"N"' in row.body]  # type: ignore[misc]


@pytest.fixture
def outbox(path: Path, clock: ManualClock) -> Iterator[Outbox]:
    """Without its thread: `write_once` is the writer's turn. The opening event is acknowledged already."""
    made = Outbox(OutboxStore(path, clock), clock)
    for row in made.take(10, 10):
        made.acknowledge(row.sequence)
    clock.advance(KEPT_S)
    made.heard()
    made.write_once()
    yield made
    made._store.close()


def test_alarms_pass_a_backlog(outbox: Outbox) -> None:
    """An alarm raised last is taken first; within a class the order stays."""
    for number in range(30):
        outbox.raise_event(event(number, Priority.PROPERTY))
    outbox.raise_event(event(100))
    outbox.raise_event(event(101))
    outbox.write_once()
    assert numbers(outbox.take(5, 5)) == [100, 101, 0, 1, 2]
    assert numbers(outbox.take(5, 1)) == [3]


def test_a_still_goes_behind_all_that_waits_and_no_more_than_there_is_room_for(outbox: Outbox) -> None:
    """Raised first, it is taken last; without room it waits, and everything else goes on in its sequence."""
    for number in range(3):
        outbox.raise_with_still(event(number), b"jpeg")
    outbox.raise_event(event(3, Priority.PROPERTY))
    outbox.write_once()
    assert [row.kind for row in outbox.take(20, 20, 0)] == [Kind.EVENT] * 4
    assert [row.kind for row in outbox.take(20, 20, 1)] == [Kind.STILL]
    outbox.raise_with_still(event(4), b"jpeg")
    outbox.write_once()
    assert [row.kind for row in outbox.take(20, 20, 2)] == [Kind.EVENT, Kind.STILL, Kind.STILL]


def test_without_a_backlog_all_goes_in_its_sequence(outbox: Outbox) -> None:
    """What can go at once leaves as it was raised: a hub sees no jump where nothing is missing."""
    for number, priority in enumerate((Priority.PROPERTY, Priority.REGISTER, Priority.ALARM, Priority.PROPERTY, Priority.ALARM)):
        outbox.raise_event(event(number, priority))
    outbox.write_once()
    assert numbers(outbox.take(20, 10)) == [0, 1, 2, 3, 4]


def test_nothing_is_taken_twice_until_released(outbox: Outbox) -> None:
    """What is in flight stays out; after a lost connection it is taken again, save what was acknowledged."""
    for number in range(5):
        outbox.raise_event(event(number))
    outbox.write_once()
    first = outbox.take(3, 3)
    assert numbers(outbox.take(10, 10)) == [3, 4]
    outbox.acknowledge(first[0].sequence)
    outbox.release()
    assert numbers(outbox.take(10, 10)) == [1, 2, 3, 4]


def test_what_was_acknowledged_just_before_goes_again_on_the_next_connection(outbox: Outbox, clock: ManualClock) -> None:
    """A dead broker took along what it had acknowledged: it is sent once more, in its place, and is not pending meanwhile."""
    for number in range(3):
        outbox.raise_event(event(number))
    outbox.write_once()
    for row in outbox.take(10, 10):
        outbox.acknowledge(row.sequence)
    outbox.write_once()
    outbox.release()
    assert outbox.take(10, 10) == []
    assert outbox.metrics().pending == 0
    assert outbox.metrics().oldest_age_s is None
    outbox.raise_event(event(3))
    outbox.write_once()
    outbox.replay()
    assert outbox.metrics().pending == 4
    again = outbox.take(10, 10)
    assert numbers(again) == [0, 1, 2, 3]
    for row in again:
        outbox.acknowledge(row.sequence)
    clock.advance(KEPT_S)
    outbox.heard()
    outbox.write_once()
    outbox.replay()
    assert outbox.take(10, 10) == []
    assert sum(outbox._store.tally.count.values()) == 0


def test_a_silent_broker_lets_nothing_go(outbox: Outbox, clock: ManualClock) -> None:
    """However long it is not heard, what it acknowledged last goes again: it may have died right after."""
    outbox.raise_event(event(0))
    outbox.write_once()
    for row in outbox.take(10, 10):
        outbox.acknowledge(row.sequence)
    clock.advance(3600)
    outbox.write_once()
    outbox.replay()
    assert numbers(outbox.take(10, 10)) == [0]


def test_a_node_that_falls_over_every_few_seconds_gets_on(path: Path, clock: ManualClock) -> None:
    """What was there at the start goes two seconds after its acknowledgement: no life begins with all that went before."""
    for life in range(5):
        outbox = Outbox(OutboxStore(path, clock), clock)
        outbox.raise_event(event(life))
        outbox.write_once()
        taken = outbox.take(10, 10)
        assert numbers(taken) == [max(0, life - 1), life][-life - 1 :]
        for row in taken:
            outbox.acknowledge(row.sequence)
        clock.advance(KEPT_AGAIN_S)
        outbox.heard()
        outbox.write_once()
        outbox._store.close()


def test_a_state_that_is_kept_is_no_longer_pending(outbox: Outbox) -> None:
    """A hub that asks for the full state gets the one acknowledged a moment ago; on a new connection its row says it."""
    outbox.raise_event(Event("VideoSource/MotionAlarm", 0, {"Source": "a"}, {"State": True}, PropertyOperation.CHANGED))
    outbox.write_once()
    assert outbox.states() == []
    for row in outbox.take(10, 10):
        outbox.acknowledge(row.sequence)
    assert [event_of(row.body).data["State"] for row in outbox.states()] == [True]
    outbox.replay()
    assert outbox.states() == []
    assert len(outbox.take(10, 10)) == 1


def test_what_the_broker_has_makes_way_uncounted(path: Path, clock: ManualClock) -> None:
    """In a full outbox the rows that are only kept to be said again go first, and are no loss."""
    bounds = Bounds({p: ClassBounds(3, 10**6, 10**18) for p in Priority})
    outbox = Outbox(OutboxStore(path, clock, bounds), clock)
    for number in range(3):
        outbox.raise_event(event(number, Priority.PROPERTY))
    outbox.write_once()
    for row in outbox.take(10, 10):
        outbox.acknowledge(row.sequence)
    for number in range(3, 6):
        outbox.raise_event(event(number, Priority.PROPERTY))
    outbox.write_once()
    assert outbox.metrics().dropped == 0
    assert outbox.metrics().pending == 3
    outbox.replay()
    assert numbers(outbox.take(10, 10)) == [3, 4, 5]
    outbox._store.close()


def test_drops_are_told_once(path: Path, clock: ManualClock) -> None:
    """Lost states are announced as an alarm with class, reason and count, and then no more."""
    bounds = Bounds({p: ClassBounds(3 if p is Priority.PROPERTY else 100, 10**6, 10**18) for p in Priority})
    outbox = Outbox(OutboxStore(path, clock, bounds), clock)
    for number in range(10):
        outbox.raise_event(event(number, Priority.PROPERTY))
    outbox.write_once()
    for _ in range(2):
        outbox.announce_drops()
        outbox.write_once()
    told = [event_of(row.body) for row in outbox.take(100, 100) if b"EventsDropped" in row.body]
    assert [(dict(e.source), e.data["Count"]) for e in told] == [({"Class": "property", "Reason": "space"}, 7)]
    assert told[0].priority is Priority.ALARM
    assert outbox.metrics().dropped == 7
    outbox._store.close()


def test_a_still_follows_its_event(outbox: Outbox) -> None:
    """The still is a row of its own that names the event; one too large is left out, the event stays."""
    outbox.raise_with_still(event(1), b"\xff\xd8jpeg")
    outbox.raise_with_still(event(2), bytes(STILL_MOST_BYTES + 1))
    outbox.write_once()
    rows = outbox.take(10, 10)
    events = [row for row in rows if row.kind is Kind.EVENT]
    (still,) = (row for row in rows if row.kind is Kind.STILL)
    assert len(events) == 2
    assert still.about == events[0].event_id
    assert still.body == b"\xff\xd8jpeg"


def test_memory_is_bounded_while_the_disk_hangs(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes: the oldest of the lowest class makes way, no alarm does, and the account has it."""
    monkeypatch.setattr("agent.events.raised.WAITING_MOST", 10)
    for number in range(8):
        outbox.raise_event(event(number, Priority.TELEMETRY))
    for number in range(100, 106):
        outbox.raise_event(event(number))
    outbox.write_once()
    assert numbers(outbox.take(100, 100)) == [4, 5, 6, 7, *range(100, 106)]
    outbox.announce_drops()
    outbox.write_once()
    (told,) = (event_of(row.body) for row in outbox.take(100, 100))
    assert told.data["Count"] == 4


def test_what_was_shed_is_owned_up_to_although_the_disk_refused_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk takes the events and not the account of what was shed before: it is told later, without a hole in the sequence."""
    clock = ManualClock()
    store = OutboxStore(path, clock)
    outbox = Outbox(store, clock)
    monkeypatch.setattr("agent.events.raised.WAITING_MOST", 10)
    for number in range(14):
        outbox.raise_event(event(number, Priority.TELEMETRY))
    commit = store.commit

    def commit_then_refuse(*arguments: Any) -> list[Row]:
        rows = commit(*arguments)
        store._writer.execute("PRAGMA query_only = 1")
        return rows

    monkeypatch.setattr(store, "commit", commit_then_refuse)
    outbox.write_once()
    assert "readonly" in store.fault
    monkeypatch.undo()
    store._writer.execute("PRAGMA query_only = 0")
    outbox.write_once()
    outbox.announce_drops()
    outbox.write_once()
    rows = outbox.take(100, 100)
    told = next(row for row in rows if b"EventsDropped" in row.body)
    data = event_of(told.body).data
    assert (data["Count"], data["Last"]) == (4, told.sequence - 1)
    assert data["First"] == max(row.sequence for row in rows if row is not told) + 1


def test_an_event_is_logged_as_it_was_said(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """A per cent sign in its facts stays one."""
    caplog.set_level("INFO")
    outbox.raise_event(Event("Test/Worn", 0, {}, {"Reason": "100 % of the writes"}))
    assert "Reason 100 % of the writes" in caplog.text


def test_a_durable_event_waits_for_the_disk(path: Path) -> None:
    """With the writer running the sequence comes back; without it, an error that names the disk."""
    clock = SystemClock()
    outbox = Outbox(OutboxStore(path, clock), clock)
    with pytest.raises(OutboxError, match="not on disk"):
        outbox.raise_event_durably(event(1), 0.01)
    outbox.start()
    first = outbox.raise_event_durably(event(2), 10)
    assert outbox.raise_event_durably(event(3), 10) == first + 1
    outbox.stop()
    assert outbox.join(60)


def test_many_threads_one_unbroken_count(path: Path) -> None:
    """Eight detectors raise at once: every event has its own place, none is missing after a restart."""
    clock = SystemClock()
    outbox = Outbox(OutboxStore(path, clock), clock)
    outbox.start()

    def raise_hundred(first: int) -> None:
        for n in range(first, first + 100):
            outbox.raise_event(event(n))

    threads = [threading.Thread(target=raise_hundred, args=(100 * t,)) for t in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.stop()
    assert outbox.join(60)
    store = OutboxStore(path, clock)
    rows = store.pending(Priority.ALARM, 0, 10**6)
    assert [row.sequence for row in rows] == list(range(1, 802))
    assert sorted(numbers(rows)) == list(range(800))
    store.close()


def test_a_restart_keeps_states_for_the_next_connect(outbox: Outbox) -> None:
    """A state the broker has acknowledged is still there to be sent anew."""
    outbox.raise_event(Event("VideoSource/MotionAlarm", 0, {"Source": "a"}, {"State": True}, PropertyOperation.CHANGED))
    outbox.write_once()
    for row in outbox.take(10, 10):
        outbox.acknowledge(row.sequence)
    outbox.write_once()
    assert [event_of(row.body).data["State"] for row in outbox.states()] == [True]
    assert outbox.metrics().pending == 0


def test_what_lay_on_a_disk_that_was_full_at_the_start_goes_once_it_can_be_read(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events of before the start do not wait for the next connection, though later ones have gone already."""
    outbox = Outbox(OutboxStore(path, clock), clock)
    for number in range(3):
        outbox.raise_event(event(number))
    outbox.write_once()
    outbox._store.close()

    def full(*_: object) -> Beginning:
        raise full_database()

    with monkeypatch.context() as at_the_start:
        at_the_start.setattr(epoch, "begin", full)
        outbox = Outbox(OutboxStore(path, clock), clock)
    outbox.raise_event(event(3))
    outbox.write_once()
    assert numbers(outbox.take(10, 10)) == [3]
    clock.advance(outbox.housekeeping_s + 1)
    outbox.write_once()
    assert numbers(outbox.take(10, 10)) == [0, 1, 2]
    outbox._store.close()


def test_what_was_sent_from_memory_is_not_pending_while_the_disk_refuses(outbox: Outbox, clock: ManualClock) -> None:
    """A full disk hides nothing: what is acknowledged and let go takes nothing from the count of what waits."""
    outbox._store._writer.execute("PRAGMA max_page_count=1")
    number = 0
    while not outbox._store.volatile:
        outbox.raise_event(event(number))
        outbox.write_once()
        number += 1
    for row in outbox.take(1000, 1000):
        outbox.acknowledge(row.sequence)
    clock.advance(KEPT_S)
    outbox.heard()
    outbox.raise_event(event(number))
    outbox.write_once()
    assert outbox.metrics().pending == 1
    outbox.raise_event(event(number + 1))
    outbox.write_once()
    assert outbox.metrics().pending == 2
