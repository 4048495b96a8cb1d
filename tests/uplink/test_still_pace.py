"""A still never keeps an alarm waiting for long: one at a time, behind everything else, and none on a line that is slow."""

from __future__ import annotations

from agent.uplink.still_pace import StillPace
from tests.support.manual_clock import ManualClock


def sent(pace: StillPace, clock: ManualClock, seconds: float) -> None:
    """One still, answered after so long."""
    pace.launched(7)
    assert pace.room == 0
    clock.advance(seconds)
    pace.landed(6)
    pace.landed(7)


def test_on_a_fast_line_one_follows_the_other() -> None:
    """As many as there are, one at a time."""
    clock = ManualClock()
    pace = StillPace(clock)
    for _ in range(100):
        assert pace.room == 1
        sent(pace, clock, 0.2)


def test_on_a_slow_line_they_are_held_back_and_tried_ever_less() -> None:
    """Three seconds at 64 kbit/s: one in ten minutes, then in twenty, then in forty; a fast one ends it."""
    clock, tried = ManualClock(), []
    pace = StillPace(clock)
    for second in range(3 * 3600):
        if pace.room:
            tried.append(second)
            sent(pace, clock, 3.2)
        clock.advance(1)
    assert 4 <= len(tried) <= 6
    clock.advance(3600)
    sent(pace, clock, 0.1)
    assert pace.room == 1


def test_a_line_that_broke_under_a_still_is_slow_and_one_that_just_broke_is_not() -> None:
    """It went out long ago, or just now."""
    clock = ManualClock()
    pace = StillPace(clock)
    pace.launched(1)
    pace.broke()
    assert pace.room == 1
    pace.launched(1)
    clock.advance(19)
    pace.broke()
    assert pace.room == 0
