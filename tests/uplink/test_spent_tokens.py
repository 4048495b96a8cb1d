"""Used tokens: never twice, after restarts and steps of the clock, in bounded space."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.clock import NS
from agent.errors import JournalError
from agent.uplink.spent_tokens import SpentTokens
from agent.uplink.token import Caller, Refusal, Refused, Role
from tests.support.manual_clock import ManualClock

START_S = 1_780_000_000


def step(clock: ManualClock, seconds: float) -> None:
    """Somebody sets the wall clock."""
    clock.step_wall(datetime.fromtimestamp(clock.wall_ns() / NS + seconds, UTC))


def caller(jti: str, ends_s: int = START_S + 60) -> Caller:
    """A caller with this token."""
    return Caller("M. Dupont", Role.OPERATOR, jti, ends_s)


def test_a_token_is_used_once_even_across_restarts(tmp_path: Path) -> None:
    """A new process on the same file still knows it."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    SpentTokens(tmp_path / "c.sqlite3", clock).spend(caller("a"))
    with pytest.raises(Refused) as refused:
        SpentTokens(tmp_path / "c.sqlite3", clock).spend(caller("a"))
    assert refused.value.code is Refusal.REPLAYED
    SpentTokens(tmp_path / "c.sqlite3", clock).spend(caller("b"))


def test_a_clock_that_steps_back_revives_nothing(tmp_path: Path) -> None:
    """What was forgotten because it had ended stays refused when it is yesterday again."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    spent = SpentTokens(tmp_path / "c.sqlite3", clock)
    spent.spend(caller("a"))
    step(clock, 200)
    spent.spend(caller("b", START_S + 260))
    step(clock, -200)
    with pytest.raises(Refused):
        spent.spend(caller("a"))


def test_memory_is_bounded_and_frees_itself(tmp_path: Path) -> None:
    """Full of live tokens it refuses; once they have ended it takes new ones."""
    clock = ManualClock(datetime.fromtimestamp(START_S, UTC))
    spent = SpentTokens(tmp_path / "c.sqlite3", clock, most=3)
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
    with pytest.raises(JournalError, match=r"c\.sqlite3"):
        SpentTokens(path, ManualClock(datetime.fromtimestamp(START_S, UTC))).spend(caller("a"))


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
            SpentTokens(path, clock, most=4).spend(caller(str(number), START_S + 50 * number))
        except Refused:
            continue
        assert number not in passed
        passed.add(number)
