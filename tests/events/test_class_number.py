"""The count of each class: unbroken within an epoch, through restarts, older versions and damaged files."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.events import sent_rows
from agent.events.bounds import Bounds, ClassBounds
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.events.replay_window import KEPT_S
from agent.events.row import Draft, Kind, Row, draft_of, event_body
from agent.ports.event import Event, Priority
from tests.support.manual_clock import ManualClock

A, P, R, T = Priority.ALARM, Priority.PROPERTY, Priority.REGISTER, Priority.TELEMETRY
INSERT_OF_AN_EARLIER_VERSION = "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def drafts(clock: ManualClock, *classes: Priority) -> list[Draft]:
    """One event of each."""
    return [draft_of(Event("Test/Of", 1, priority=each), clock) for each in classes]


def waiting(store: OutboxStore, of: Priority) -> list[Row]:
    """All of a class."""
    return store.pending(of, 0, 10_000)


def numbers(store: OutboxStore, of: Priority) -> list[int]:
    """Of all that wait."""
    return [row.class_number for row in waiting(store, of)]


def as_an_earlier_version_left_it(path: Path) -> None:
    """Without the table of the numbers, and without a counter of them."""
    with sqlite3.connect(path) as earlier:
        earlier.execute("DROP TRIGGER number_of_row")
        earlier.execute("DROP TRIGGER number_of_sent")
        earlier.execute("DROP TABLE class_number")
        earlier.execute("DELETE FROM counter WHERE name LIKE 'class number%'")


def test_each_class_is_counted_from_one_and_on_after_a_restart(path: Path, clock: ManualClock) -> None:
    """Whatever lies between them in the count of all; the first alarm of all is the one that tells of the epoch."""
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, A, P, P, R, A, T, P), ())
    store.close()
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, P, A), ())
    assert {each: numbers(store, each) for each in Priority} == {A: [1, 2, 3, 4], P: [1, 2, 3, 4], R: [1], T: [1]}
    store.close()


def test_a_new_epoch_counts_from_one(path: Path, clock: ManualClock) -> None:
    """The epoch names the count: no class need know how far another one had come."""
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, P, P, A), ())
    store.close()
    for part in path.parent.glob("outbox.sqlite3*"):
        part.unlink()
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, P), ())
    assert (numbers(store, A), numbers(store, P)) == ([1], [1])
    store.close()


def test_an_outbox_of_an_earlier_version_is_numbered_as_it_is_opened(path: Path, clock: ManualClock) -> None:
    """What waits is carried over with its sequence, under its epoch, numbered from one; new events go on from there."""
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, P, A, P, R), ())
    before = [row.sequence for row in waiting(store, P)]
    store.close()
    as_an_earlier_version_left_it(path)
    again = OutboxStore(path, clock)
    again.commit(drafts(clock, P), ())
    assert again.count.epoch == store.count.epoch
    assert [row.sequence for row in waiting(again, P)][:2] == before
    assert {each: numbers(again, each) for each in Priority} == {A: [1, 2], P: [1, 2, 3], R: [1], T: []}
    again.close()


def test_a_release_that_is_rolled_back_and_comes_again_goes_on(path: Path, clock: ManualClock) -> None:
    """The earlier version writes into today's file as it always did; what it left waiting is numbered, none twice."""
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, P, P), ())
    epoch, sequence = store.count.epoch, store.count.sequence
    store.close()
    with sqlite3.connect(path) as earlier:
        for more in (1, 2):
            values = (sequence + more, epoch, "0" * 26, int(P), "event", 1, "synchronised", event_body(Event("T", 1)), "")
            earlier.execute(INSERT_OF_AN_EARLIER_VERSION, values)
        earlier.execute("INSERT OR REPLACE INTO counter VALUES ('sequence', ?)", (sequence + 2,))
        earlier.execute("DELETE FROM row WHERE sequence = ?", (sequence,))
    again = OutboxStore(path, clock)
    again.commit(drafts(clock, P), ())
    assert again.count.epoch == epoch
    assert numbers(again, P) == [1, 3, 4, 5]
    again.close()


def test_a_damaged_outbox_of_either_version_gives_its_rows_back(path: Path, clock: ManualClock) -> None:
    """With the numbers they had, under the epoch they had; those of an earlier version without."""
    for version in ("today's", "an earlier one's"):
        where = path.with_name(f"{version[:2]}.sqlite3")
        store = OutboxStore(where, clock)
        store.commit(drafts(clock, *[P] * 50), ())
        page = store._writer.execute("SELECT rootpage FROM sqlite_master WHERE name = 'row_by_class'").fetchone()[0]
        store.close()
        if version != "today's":
            as_an_earlier_version_left_it(where)
        with where.open("r+b") as file:
            file.seek((page - 1) * 4096)
            file.write(b"\xff" * 4096)
        again = OutboxStore(where, clock)
        assert len(waiting(again, P)) == 50
        assert numbers(again, P) == (list(range(1, 51)) if version == "today's" else [0] * 50)
        assert numbers(again, A)[-1] == 1
        again.close()


def test_what_never_reached_the_disk_has_its_number_as_well(path: Path, clock: ManualClock) -> None:
    """An event that was shed or dropped leaves a hole in its class, and in no other."""
    bounds = Bounds({each: ClassBounds(2, 1 << 20, 1 << 62) for each in Priority})
    store = OutboxStore(path, clock, bounds)
    assert store.note_lost(P, 2)
    store.commit(drafts(clock, P, R, R, R), ())
    assert (numbers(store, P), numbers(store, R)) == ([3], [2, 3])
    store.close()


def test_an_announcement_that_the_disk_refuses_takes_its_numbers_back(path: Path, clock: ManualClock) -> None:
    """Nobody has seen them: the next event bears them."""
    store = OutboxStore(path, clock)
    store._writer.execute("PRAGMA query_only = 1")
    assert store.announce(drafts(clock, A)) == []
    assert not store.note_lost(A, 3)
    store._writer.execute("PRAGMA query_only = 0")
    store.commit(drafts(clock, A), ())
    assert numbers(store, A) == [1, 2]
    store.close()


def test_what_comes_again_bears_its_number_and_numbers_go_with_their_rows(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`resend` says them; when the last copy of a row is gone, so is its number: the table cannot outgrow the outbox."""
    monkeypatch.setattr(sent_rows, "ROWS_MOST", 3)
    outbox = Outbox(OutboxStore(path, clock), clock)
    for number in range(6):
        outbox.raise_event(Event("Test/Of", number, priority=P))
    outbox.write_once()
    for row in outbox.take(100, 100):
        outbox.acknowledge(row.sequence)
    clock.advance(KEPT_S + 1)
    outbox.heard()
    outbox.write_once()
    clock.advance(60)
    outbox.write_once()
    assert [row.class_number for row in outbox.again(outbox.metrics().epoch, 1, 7, 100).rows] == [4, 5, 6]
    assert outbox._store._writer.execute("SELECT count(*) FROM class_number").fetchone() == (3,)
    outbox._store.close()


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(list(Priority)), max_size=6), st.sampled_from(["goes on", "restarts", "earlier"]))
    )
)
def test_no_number_is_missing_or_given_twice(
    tmp_path_factory: pytest.TempPathFactory, life: Sequence[tuple[list[Priority], str]]
) -> None:
    """Through commits, restarts and visits of an earlier version that raise nothing: 1, 2, 3... in the order of the sequence."""
    path, clock = tmp_path_factory.mktemp("life") / "outbox.sqlite3", ManualClock()
    store = OutboxStore(path, clock)
    for classes, then in life:
        store.commit(drafts(clock, *classes), ())
        if then != "goes on":
            store.close()
            if then == "earlier":
                as_an_earlier_version_left_it(path)
            store = OutboxStore(path, clock)
    for each in Priority:
        assert numbers(store, each) == list(range(1, len(waiting(store, each)) + 1))
    store.close()


def test_a_still_has_a_number_of_its_class(path: Path, clock: ManualClock) -> None:
    """Telemetry is counted apart, or who hears events alone would see holes where the stills are."""
    outbox = Outbox(OutboxStore(path, clock), clock)
    for number in range(2):
        outbox.raise_with_still(Event("Test/Of", number, priority=P), b"\xff\xd8")
    outbox.write_once()
    rows = outbox.take(100, 100)
    assert [(row.kind, row.class_number) for row in rows[1:]] == [
        (Kind.EVENT, 1),
        (Kind.STILL, 1),
        (Kind.EVENT, 2),
        (Kind.STILL, 2),
    ]
    outbox._store.close()
