"""Board events: alarms that begin when they must, end when it is over, and never flutter."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.base.clock import NS, ClockQuality
from agent.board.thresholds import STORAGE, TEMPERATURE, THROTTLED, UNDERVOLTAGE, BoardWatch
from agent.config.model import BoardLimits
from agent.ports.event import Event, PropertyOperation
from agent.ports.host import BoardMetrics


@dataclass
class HandClock:
    """A clock that a test moves by hand."""

    now_ns: int = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return 1_800_000_000 * NS + self.now_ns

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCHRONISED

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        return event.is_set()


CALM = BoardMetrics(temperature_c=50.0, throttled=False, undervoltage=False)


def said(events: list[Event]) -> dict[str, bool]:
    """Topic -> its state."""
    return {e.topic: bool(next(iter(e.data.values()))) for e in events}


def test_the_first_reading_says_how_everything_stands() -> None:
    """A hub that has just come up learns each property once, and then only changes."""
    clock = HandClock()
    watch = BoardWatch(BoardLimits(), clock)
    events = watch.judge(CALM)
    assert said(events) == {TEMPERATURE: False, STORAGE: False, UNDERVOLTAGE: False, THROTTLED: False}
    assert {e.operation for e in events} == {PropertyOperation.INITIALIZED}
    clock.now_ns += 10 * NS
    assert watch.judge(CALM) == []


def test_what_a_board_cannot_tell_is_never_an_event() -> None:
    """A board without sensors raises neither alarms nor all-clears."""
    assert said(BoardWatch(BoardLimits(), HandClock()).judge(BoardMetrics())) == {STORAGE: False}


@given(st.lists(st.floats(75.0, 79.9), min_size=1, max_size=30))
def test_between_the_limits_nothing_changes(between: list[float]) -> None:
    """Once critical, it stays so down to the lower limit; once calm, up to the upper one."""
    for start, state in ((90.0, True), (40.0, False)):
        clock = HandClock()
        watch = BoardWatch(BoardLimits(), clock)
        for _ in range(3):
            watch.judge(replace(CALM, temperature_c=start))
            clock.now_ns += 10 * NS
        for temperature in between:
            clock.now_ns += 60 * NS
            assert TEMPERATURE not in said(watch.judge(replace(CALM, temperature_c=temperature))), state


def test_heat_is_told_once_and_so_is_its_end() -> None:
    """A spike of one reading is no alarm; lasting heat is one; its end is told once it has lasted."""
    clock = HandClock()
    watch = BoardWatch(BoardLimits(temperature_critical_c=80, temperature_clear_c=70), clock)
    told = []
    for temperature in [50, 85, 50, 85, 85, 85, 85, 75, 75, 65, 65, 65, 65, 65]:
        told += [(e.data["Critical"], e.data["Celsius"]) for e in watch.judge(replace(CALM, temperature_c=float(temperature)))
                 if e.topic == TEMPERATURE]  # fmt: skip
        clock.now_ns += 10 * NS
    assert told == [(False, 50.0), (True, 85.0), (False, 65.0)]


def test_a_sagging_supply_is_told_at_once_and_not_at_every_sag() -> None:
    """Undervoltage comes in pulses: one alarm, which ends after a quiet minute."""
    clock = HandClock()
    watch = BoardWatch(BoardLimits(), clock)
    told = []
    for low in [False, True, False, True, False, True] + [False] * 8:
        told += [e.data["Low"] for e in watch.judge(replace(CALM, undervoltage=low)) if e.topic == UNDERVOLTAGE]
        clock.now_ns += 10 * NS
    assert told == [False, True, False]


def test_storage_fails_by_its_own_account_or_by_the_recorders() -> None:
    """Worn out, out of spare blocks, or refusing to write: one property, with the reason."""
    for metrics, fault in (
        (replace(CALM, more={"storage_worn_percent": 110.0}), ""),
        (replace(CALM, more={"storage_pre_eol": "urgent"}), ""),
        (CALM, "the disk is read-only"),
    ):
        watch = BoardWatch(BoardLimits(), HandClock())
        watch.judge(CALM)
        (event,) = watch.judge(metrics, fault)
        assert (event.topic, event.data["Failed"]) == (STORAGE, True)
        assert event.data["Reason"]
