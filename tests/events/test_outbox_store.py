"""The outbox on disk: one count for life, bounded, every drop accounted for. Numbers refer to docs/outbox.md."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import ClockQuality
from agent.base.errors import OutboxError
from agent.events import epoch, outbox_schema
from agent.events.bounds import Bounds, ClassBounds
from agent.events.epoch import Beginning
from agent.events.outbox_store import OutboxStore
from agent.events.row import Draft, Row, draft_of, event_of
from agent.ports.event import Event, Priority, PropertyOperation
from tests.support.database_errors import full_database
from tests.support.manual_clock import ManualClock

DAY_NS = 24 * 3600 * 10**9


def drafts(clock: ManualClock, *numbers: int, priority: Priority = Priority.ALARM) -> list[Draft]:
    """Events that carry a number."""
    return [draft_of(Event("Test/Number", clock.wall_ns(), {}, {"N": n}, priority=priority), clock) for n in numbers]


def pending(store: OutboxStore) -> list[Row]:
    """All that waits, by class and sequence."""
    return [row for priority in sorted(Priority, reverse=True) for row in store.pending(priority, 0, 10**9)]


def numbers(store: OutboxStore) -> list[int]:
    """The numbers that wait."""
    return [event_of(row.body).data["N"] for row in pending(store) if b'"N"' in row.body]  # type: ignore[misc]


def epochs_told(store: OutboxStore) -> list[dict[str, object]]:
    """What the waiting OutboxEpoch events say."""
    return [dict(event_of(row.body).data) for row in pending(store) if b"OutboxEpoch" in row.body]


def test_committed_rows_survive_reopening(path: Path, clock: ManualClock) -> None:
    """(1, 4) After a restart the same rows wait, and the count goes on."""
    store = OutboxStore(path, clock)
    rows = store.commit(drafts(clock, 1, 2, 3), ())
    store.close()
    again = OutboxStore(path, clock)
    assert numbers(again) == [1, 2, 3]
    assert again.count.epoch == store.count.epoch
    assert again.commit(drafts(clock, 4), ())[0].sequence == rows[-1].sequence + 1
    again.close()


def test_only_the_acknowledged_go(path: Path, clock: ManualClock) -> None:
    """(2) Forgetting one row leaves the others."""
    store = OutboxStore(path, clock)
    rows = store.commit(drafts(clock, 1, 2, 3), ())
    store.commit([], {rows[1].sequence})
    assert numbers(store) == [1, 3]
    store.close()


@pytest.mark.parametrize("how", ["deleted", "emptied", "overwritten"])
def test_a_lost_database_begins_an_epoch_above_the_old_count(path: Path, clock: ManualClock, how: str) -> None:
    """(5) Nothing that was handed out is handed out again, and the first event says so."""
    store = OutboxStore(path, clock)
    used = {row.sequence for row in store.commit(drafts(clock, *range(50)), ())}
    store.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(b"" if how == "emptied" else b"SQLite format 3\0" + random.Random(1).randbytes(8192))
    again = OutboxStore(path, clock)
    told = epochs_told(again)[-1]
    assert again.count.epoch != store.count.epoch
    assert told["PreviousEpoch"] == store.count.epoch
    assert again.commit(drafts(clock, 99), ())[0].sequence not in used
    assert pending(again)[0].sequence == told["FirstSequence"]
    again.close()


def test_what_can_be_read_of_a_corrupt_database_is_carried_over(path: Path, clock: ManualClock) -> None:
    """(5) A damaged index does not cost an alarm; the damaged file is set aside, and the new epoch told."""
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, *range(200)), ())
    root_page, page_bytes = (
        store._writer.execute("SELECT rootpage FROM sqlite_master WHERE name = 'row_by_class'").fetchone()[0],
        store._writer.execute("PRAGMA page_size").fetchone()[0],
    )
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    with path.open("r+b") as file:
        file.seek((root_page - 1) * page_bytes)
        file.write(b"\xff" * page_bytes)
    again = OutboxStore(path, clock)
    assert numbers(again) == list(range(200))
    assert path.with_name("outbox.sqlite3.corrupt").exists()
    assert "corrupt" in str(epochs_told(again)[-1]["Reason"])
    again.close()


@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize("at", ["create_tables", "transaction"])
def test_a_salvage_that_is_interrupted_loses_no_event(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, at: str, attempts: int
) -> None:
    """(5) The power goes between setting the damaged file aside and having its rows safe: the next start has them all."""
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, *range(200)), ())
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    root_page = store._writer.execute("SELECT rootpage FROM sqlite_master WHERE name = 'row_by_class'").fetchone()[0]
    store.close()
    with path.open("r+b") as file:
        file.seek((root_page - 1) * 4096)
        file.write(b"\xff" * 4096)

    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(outbox_schema, at, power_cut)
    for _ in range(attempts):
        with pytest.raises(KeyboardInterrupt):
            OutboxStore(path, clock)
    monkeypatch.undo()
    again = OutboxStore(path, clock)
    assert numbers(again) == list(range(200))
    assert path.with_name("outbox.sqlite3.corrupt").exists()
    again.close()
    assert numbers(OutboxStore(path, clock)) == list(range(200))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_any_damage_opens_and_never_counts_twice(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """(5) Bytes overwritten anywhere: the outbox opens, and no sequence is handed out for a second event."""
    path, clock, dice = tmp_path_factory.mktemp("damage") / "outbox.sqlite3", ManualClock(), random.Random(seed)
    store = OutboxStore(path, clock)
    before = {row.sequence: row.event_id for row in store.commit(drafts(clock, *range(60)), ())}
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    content = bytearray(path.read_bytes())
    for _ in range(dice.randint(1, 8)):
        at = dice.randrange(len(content))
        content[at : at + 64] = dice.randbytes(min(64, len(content) - at))
    path.write_bytes(content)
    try:
        again = OutboxStore(path, clock)
    except OutboxError:
        return  # refused in words; the supervisor tries again
    fresh = again.commit(drafts(clock, 1, 2, 3), ())
    assert not {row.sequence for row in fresh} & set(before)
    again.close()


def test_damage_while_running_is_survived(path: Path, clock: ManualClock) -> None:
    """(5) The file is overwritten under the running outbox: later events are kept, and an epoch is told."""
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, *range(100)), ())
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(random.Random(3).randbytes(path.stat().st_size))
    for number in (1000, 1001, 1002):
        store.commit(drafts(clock, number), ())
        pending(store)  # the session reads, and is the first to notice
    assert {*range(100), 1000, 1001, 1002} <= set(numbers(store))
    assert not store.fault
    store.close()
    again = OutboxStore(path, clock)
    assert {1000, 1001, 1002} <= set(numbers(again))
    assert epochs_told(again)
    again.close()


def test_a_removed_file_is_noticed_while_it_can_still_be_read(path: Path, clock: ManualClock) -> None:
    """(5) Deleted under the running outbox: what waited is written down again, and an epoch told."""
    store = OutboxStore(path, clock)
    store.commit(drafts(clock, 1, 2, 3), ())
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    store.check_file()
    store.commit(drafts(clock, 4), ())
    store.close()
    again = OutboxStore(path, clock)
    assert numbers(again) == [1, 2, 3, 4]
    assert "removed" in str(epochs_told(again)[-1]["Reason"])
    again.close()


def test_an_older_database_that_comes_back_is_noticed(path: Path, clock: ManualClock, tmp_path: Path) -> None:
    """(5) A copy from long ago is put back: the count goes on above everything used since."""
    store = OutboxStore(path, clock)
    store._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    old = path.read_bytes()
    for _ in range(10):
        last = store.commit(drafts(clock, *range(400)), ())[-1].sequence
    store.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(old)
    again = OutboxStore(path, clock)
    assert again.commit(drafts(clock, 1), ())[0].sequence > last
    assert "older" in str(epochs_told(again)[-1]["Reason"])
    again.close()


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path, clock: ManualClock) -> None:
    """A path that is a directory is refused in words."""
    (tmp_path / "outbox.sqlite3").mkdir()
    with pytest.raises(OutboxError, match="cannot be opened"):
        OutboxStore(tmp_path / "outbox.sqlite3", clock)


def small(alarm: int = 50, other: int = 5) -> Bounds:
    """Bounds of a few rows."""
    return Bounds(
        {p: ClassBounds(alarm if p is Priority.ALARM else other, 10**6, DAY_NS) for p in Priority},
        10**6,
    )


def test_the_oldest_of_a_full_class_goes_and_is_accounted_for(path: Path, clock: ManualClock) -> None:
    """(7, 8) Twelve states in a class of five: the last five stay, seven are in the account."""
    store = OutboxStore(path, clock, small())
    rows = store.commit(drafts(clock, *range(12), priority=Priority.PROPERTY), ())
    assert numbers(store) == list(range(7, 12))
    (drop,) = store.unannounced()
    assert (drop.priority, drop.count, drop.first, drop.last) == (Priority.PROPERTY, 7, rows[0].sequence, rows[6].sequence)
    store.announce(drafts(clock, 100))
    assert store.unannounced() == []
    assert store.tally.dropped == 7
    store.close()


def test_when_all_space_is_used_the_lowest_class_goes_first(path: Path, clock: ManualClock) -> None:
    """(7) Telemetry makes room for states, states for alarms; no alarm goes while there is anything else."""
    room = ClassBounds(10**6, 10**6, DAY_NS)
    store = OutboxStore(path, clock, Bounds(dict.fromkeys(Priority, room), body_bytes=3000))
    for priority in (Priority.TELEMETRY, Priority.PROPERTY):
        store.commit(drafts(clock, *range(15), priority=priority), ())
    alarms = range(100, 130)
    for number in alarms:
        store.commit(drafts(clock, number), ())
    assert [n for n in numbers(store) if n >= 100] == list(alarms)
    assert store.tally.count[Priority.TELEMETRY] == 0
    assert {drop.priority for drop in store.unannounced()} <= {Priority.TELEMETRY, Priority.PROPERTY}
    store.close()


def test_rows_in_flight_are_spared(path: Path, clock: ManualClock) -> None:
    """(7) A row that may be on its way to the broker is not dropped for space."""
    store = OutboxStore(path, clock, small())
    first = store.commit(drafts(clock, *range(5), priority=Priority.PROPERTY), ())[0]
    store.commit(drafts(clock, *range(5, 9), priority=Priority.PROPERTY), (), {first.sequence})
    assert numbers(store) == [0, 5, 6, 7, 8]
    store.close()


def test_age_counts_only_on_a_clock_that_was_set(path: Path, clock: ManualClock) -> None:
    """(7) What is a day too old goes; what was raised on an unset clock stays."""
    store = OutboxStore(path, clock, small())
    clock.clock_quality = ClockQuality.UNSET
    store.commit(drafts(clock, 1), ())
    clock.clock_quality = ClockQuality.SYNCHRONISED
    store.commit(drafts(clock, 2), ())
    clock.advance(timedelta(days=2).total_seconds())
    store.commit(drafts(clock, 3), ())
    store.drop_aged()
    assert numbers(store) == [1, 3]
    assert {(drop.reason, drop.count) for drop in store.unannounced()} == {("age", 2)}  # number 2 and the epoch's event
    store.close()


def test_looking_for_what_is_too_old_writes_nothing(path: Path, clock: ManualClock) -> None:
    """A quiet node wears no card: without anything to drop, nothing is committed."""
    store = OutboxStore(path, clock, small())
    store.commit(drafts(clock, 1), ())
    with closing(sqlite3.connect(path)) as other:
        before = other.execute("PRAGMA data_version").fetchone()
        store.drop_aged()
        assert other.execute("PRAGMA data_version").fetchone() == before
        clock.advance(timedelta(days=2).total_seconds())
        store.drop_aged()
        assert other.execute("PRAGMA data_version").fetchone() != before
    assert numbers(store) == []
    store.close()


def test_the_last_state_of_every_property_is_kept(path: Path, clock: ManualClock) -> None:
    """(9) Acknowledged or not, across a restart; a deleted property has none."""
    store = OutboxStore(path, clock)

    def state(source: str, operation: PropertyOperation, on: bool) -> Draft:
        return draft_of(Event("VideoSource/MotionAlarm", clock.wall_ns(), {"Source": source}, {"State": on}, operation), clock)

    rows = store.commit(
        [
            state("a", PropertyOperation.INITIALIZED, on=False),
            state("a", PropertyOperation.CHANGED, on=True),
            state("b", PropertyOperation.CHANGED, on=True),
            state("b", PropertyOperation.DELETED, on=True),
        ],
        (),
    )
    assert store.states() == []  # all of it is still pending
    store.commit([], {row.sequence for row in rows})
    store.close()
    again = OutboxStore(path, clock)
    (only,) = again.states()
    assert only.event_id == rows[1].event_id
    again.close()


@given(st.lists(st.tuples(st.sampled_from(["raise", "ack", "reopen", "state"]), st.integers(0, 9)), max_size=40))
@settings(max_examples=40, deadline=None)
def test_matches_a_model(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    """(2, 4, 6) Whatever is raised, acknowledged and restarted: pending is what was raised and not acknowledged, in order."""
    path, clock = tmp_path_factory.mktemp("model") / "outbox.sqlite3", ManualClock()
    store = OutboxStore(path, clock)
    model = {row.sequence: row.event_id for row in pending(store)}
    highest = store.count.sequence
    for step, number in steps:
        if step == "raise":
            for row in store.commit(drafts(clock, *range(number)), ()):
                assert row.sequence == highest + 1
                highest = row.sequence
                model[row.sequence] = row.event_id
        elif step == "ack" and model:
            sequence = sorted(model)[number % len(model)]
            store.commit([], {sequence})
            del model[sequence]
        elif step == "reopen":
            store.close()
            store = OutboxStore(path, clock)
        assert {row.sequence: row.event_id for row in pending(store)} == model
        assert [row.sequence for row in pending(store)] == sorted(model)
        assert sum(store.tally.count.values()) == len(model)
    store.close()


def test_a_disk_that_refuses_keeps_events_in_memory(path: Path, clock: ManualClock) -> None:
    """(1, 5) A database at its page limit: the event is still sendable, kept when there is room, and no count is reused."""
    store = OutboxStore(path, clock)
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count={pages}")
    number = 0
    while not store.fault:
        store.commit(drafts(clock, number), ())
        number += 1
    assert "full" in store.fault
    assert numbers(store) == list(range(number))
    last = store.count.sequence
    store.close()
    again = OutboxStore(path, clock)  # a crash now: what was only in memory is lost, and the next count is above it
    assert again.count.sequence > last
    assert "full" in str(epochs_told(again)[-1]["Reason"])
    again.close()


def test_starts_without_its_disk_and_returns_to_it(path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """(1, 5) A disk that is full at the start: events are kept in memory under a new epoch, then join what lay on the disk."""
    store = OutboxStore(path, clock)
    before = store.commit(drafts(clock, 1, 2, 3), ())
    store.close()
    begin = epoch.begin

    def full(*_: object) -> Beginning:
        raise full_database()

    monkeypatch.setattr(epoch, "begin", full)
    store = OutboxStore(path, clock)
    rows = store.commit(drafts(clock, 4, 5), ())
    store.check_file()
    assert "full" in store.fault
    assert numbers(store) == [4, 5]
    assert rows[0].sequence > before[-1].sequence
    assert "full" in str(epochs_told(store)[-1]["Reason"])
    monkeypatch.setattr(epoch, "begin", begin)
    store.check_file()
    assert not store.fault
    assert numbers(store) == [1, 2, 3, 4, 5]
    store.commit(drafts(clock, 6), {rows[0].sequence})
    store.close()
    again = OutboxStore(path, clock)
    assert numbers(again) == [1, 2, 3, 5, 6]
    assert again.count.epoch == store.count.epoch
    again.close()


def test_memory_follows_to_the_disk_when_there_is_room_again(path: Path, clock: ManualClock) -> None:
    """(1) What waited in memory is committed with the next event, in its place."""
    store = OutboxStore(path, clock)
    store._writer.execute("PRAGMA max_page_count=1")
    while not store.fault:
        store.commit(drafts(clock, *range(20)), ())
    store._writer.execute("PRAGMA max_page_count=100000")
    store.commit(drafts(clock, 777), ())
    assert not store.fault
    assert not store.volatile
    sequences = [row.sequence for row in pending(store)]
    store.close()
    again = OutboxStore(path, clock)
    assert [row.sequence for row in pending(again)] == sequences
    assert again.count.epoch == store.count.epoch
    again.close()


def test_opens_what_sqlite_itself_calls_sound(path: Path, clock: ManualClock) -> None:
    """The file on disk is a plain WAL database with durable commits."""
    store = OutboxStore(path, clock)
    assert store._writer.execute("PRAGMA synchronous").fetchone()[0] == 2
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert other.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    store.close()
