"""Used tokens: never twice, after restarts and steps of the clock, in bounded space."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.base.errors import ReplayCacheError
from agent.operations.caller import Caller, Refusal, Refused, Role
from agent.uplink.replay_cache import ReplayCache
from tests.support.manual_clock import ManualClock

START_S = 1_780_000_000


def step(clock: ManualClock, seconds: float) -> None:
    """Somebody sets the wall clock."""
    clock.step_wall(datetime.fromtimestamp(clock.wall_ns() / NS + seconds, UTC))


def caller(jti: str, ends_s: int = START_S + 60, begins_s: int = START_S) -> Caller:
    """A caller with this token."""
    return Caller("M. Dupont", Role.OPERATOR, jti, begins_s, ends_s)


def test_a_lost_memory_brings_no_token_back(tmp_path: Path) -> None:
    """The file is gone: what was issued before it began anew is refused, used or not; what is issued since is good."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    path = tmp_path / "c.sqlite3"
    spent = ReplayCache(path, clock)
    spent.begin()
    spent.spend(caller("used"))
    path.unlink()
    step(clock, 5)
    for jti in ("used", "another"):
        with pytest.raises(Refused, match="ask again, with a new token") as refused:
            spent.spend(caller(jti))
        assert refused.value.code is Refusal.REPLAYED
    spent.spend(caller("fresh", begins_s=START_S + 5))


def test_a_memory_that_began_in_the_future_refuses_nobody_for_long(tmp_path: Path) -> None:
    """The clock was years ahead when the file was made: once it is set right, new tokens are taken."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    step(clock, 10 * 365 * 86_400)
    spent = ReplayCache(tmp_path / "c.sqlite3", clock)
    spent.begin()
    step(clock, -10 * 365 * 86_400)
    spent.spend(caller("a"))


def test_the_memory_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    """An upgrade is no loss: tokens on their way are taken."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    with closing(sqlite3.connect(tmp_path / "c.sqlite3")) as db, db:
        db.execute("CREATE TABLE spent (jti TEXT PRIMARY KEY, ends_s INTEGER NOT NULL) WITHOUT ROWID, STRICT")
        db.execute("CREATE TABLE forgotten (only INTEGER PRIMARY KEY CHECK (only = 1), up_to_s INTEGER NOT NULL) STRICT")
        db.execute("INSERT INTO forgotten VALUES (1, 0)")
    step(clock, 5)
    ReplayCache(tmp_path / "c.sqlite3", clock).spend(caller("a"))


def test_a_token_is_used_once_even_across_restarts(tmp_path: Path) -> None:
    """A new process on the same file still knows it."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    ReplayCache(tmp_path / "c.sqlite3", clock).spend(caller("a"))
    with pytest.raises(Refused) as refused:
        ReplayCache(tmp_path / "c.sqlite3", clock).spend(caller("a"))
    assert refused.value.code is Refusal.REPLAYED
    ReplayCache(tmp_path / "c.sqlite3", clock).spend(caller("b"))


def test_a_clock_that_steps_back_revives_nothing(tmp_path: Path) -> None:
    """What was forgotten because it had ended stays refused when it is yesterday again."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    spent = ReplayCache(tmp_path / "c.sqlite3", clock)
    spent.spend(caller("a"))
    step(clock, 200)
    spent.spend(caller("b", START_S + 260))
    step(clock, -200)
    with pytest.raises(Refused):
        spent.spend(caller("a"))


def test_memory_is_bounded_and_frees_itself(tmp_path: Path) -> None:
    """Full of live tokens it refuses; once they have ended it takes new ones."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    spent = ReplayCache(tmp_path / "c.sqlite3", clock, most=3)
    for n in range(3):
        spent.spend(caller(str(n)))
    with pytest.raises(Refused) as refused:
        spent.spend(caller("one more"))
    assert refused.value.code is Refusal.BUSY
    step(clock, 75)
    spent.spend(caller("later", START_S + 120))


def test_a_damaged_file_refuses_every_command(tmp_path: Path) -> None:
    """Without memory nothing is carried out, and the reason names the file."""
    path = tmp_path / "c.sqlite3"
    path.write_bytes(b"no database at all, but long enough to be taken for one" * 20)
    with pytest.raises(ReplayCacheError, match=r"c\.sqlite3"):
        ReplayCache(path, ManualClock(datetime.fromtimestamp(START_S, UTC))).spend(caller("a"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-400, 400)), max_size=12))
def test_no_order_of_uses_and_clock_steps_lets_one_through_twice(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]]
) -> None:
    """A model of the promise: the same token never passes twice."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    path = tmp_path_factory.mktemp("spent") / "c.sqlite3"
    passed: set[int] = set()
    for number, step_s in steps:
        step(clock, step_s)
        try:
            ReplayCache(path, clock, most=4).spend(caller(str(number), START_S + 50 * number))
        except Refused:
            continue
        assert number not in passed
        passed.add(number)
