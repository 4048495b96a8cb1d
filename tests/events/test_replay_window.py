"""What was acknowledged lately is kept, and let go in time whatever the line does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.events.replay_window import KEPT_AGAIN_S, KEPT_S, ReplayWindow
from tests.support.manual_clock import ManualClock


def heard_after(clock: ManualClock, seconds: float, window: ReplayWindow) -> None:
    """Time passes, and the broker is still alive."""
    clock.advance(seconds)
    window.heard()


def test_a_row_is_kept_for_its_time(clock: ManualClock) -> None:
    """Until the broker is heard ten seconds after its acknowledgement it can be sent again, then it goes."""
    window = ReplayWindow(clock)
    window.keep(1)
    heard_after(clock, KEPT_S - 0.1, window)
    window.keep(2)
    assert window.let_go() == []
    assert window.kept() == {1, 2}
    heard_after(clock, 0.1, window)
    assert window.let_go() == [1]
    assert window.reopen() == [2]
    assert window.kept() == set()


def test_silence_does_not_count(clock: ManualClock) -> None:
    """A broker that was not heard since may have died with it, an hour ago."""
    window = ReplayWindow(clock)
    window.keep(1)
    heard_after(clock, KEPT_S / 2, window)
    clock.advance(3600)
    assert window.let_go() == []
    window.heard()
    assert window.let_go() == [1]


def test_what_was_there_at_the_start_stays_two_seconds(clock: ManualClock) -> None:
    """It may have been acknowledged before: a node that falls over again and again gets on all the same."""
    window = ReplayWindow(clock, old=1)
    window.keep(1)
    window.keep(2)
    heard_after(clock, KEPT_AGAIN_S, window)
    assert window.let_go() == [1]


def test_what_made_way_is_forgotten(clock: ManualClock) -> None:
    """A row that the outbox had no room for is not said again."""
    window = ReplayWindow(clock)
    window.keep(1)
    window.keep(2)
    window.made_way([1, 3])
    assert window.reopen() == [2]


def test_a_second_acknowledgement_does_not_begin_anew(clock: ManualClock) -> None:
    """A row that is sent again stays for what is left of its time, and two seconds at least."""
    window = ReplayWindow(clock)
    window.keep(1)
    window.keep(2)
    clock.advance(5)
    assert window.reopen() == [1, 2]
    window.keep(1)
    heard_after(clock, 5, window)
    assert window.let_go() == [1]
    window.keep(2)
    heard_after(clock, KEPT_AGAIN_S - 0.1, window)
    assert window.let_go() == []
    heard_after(clock, 0.1, window)
    assert window.let_go() == [2]


@given(st.lists(st.floats(KEPT_AGAIN_S + 0.01, 60), min_size=1, max_size=30), st.floats(0, 30))
def test_a_line_that_keeps_breaking_gets_on(lives_s: list[float], silence_s: float) -> None:
    """Where a broker is heard for longer than two seconds, what was sent before stays sent: no row goes round for ever."""
    clock = ManualClock()
    window = ReplayWindow(clock)
    began_ns = clock.monotonic_ns()
    waits = [1]
    for life_s in lives_s:
        for sequence in waits:
            window.keep(sequence)
        heard_after(clock, life_s, window)
        window.let_go()
        waits = window.reopen()
        clock.advance(silence_s)
        assert not waits or clock.monotonic_ns() - began_ns < (KEPT_S + silence_s + 1) * 1e9


def test_memory_is_bounded(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a backlog drains, the earliest acknowledged make way before their time."""
    monkeypatch.setattr("agent.events.replay_window.KEPT_MOST", 3)
    window = ReplayWindow(clock)
    for sequence in range(10):
        window.keep(sequence)
    assert window.let_go() == [0, 1, 2, 3, 4, 5, 6]
    assert window.kept() == {7, 8, 9}
    for sequence in range(100):
        window.keep(1000 + sequence)
        window.reopen()
    assert len(window._first_ns) <= 6
