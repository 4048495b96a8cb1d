"""Log lines read as sentences and cannot flood a disk."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import NS, ClockQuality
from agent.base.log import FIRST_LINES, LINES_PER_WINDOW, REMEMBERED, WINDOW_S, FoldedLog, Sentence


class SteppedClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return self.now_ns

    def quality(self) -> ClockQuality:
        return ClockQuality.SYNCHRONISED

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        self.now_ns += int(timeout_s * NS)
        return event.is_set()


class Lines(logging.Handler):
    """Keeps what reaches the outlet."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def record(message: str = "fault on %s", *args: Any, level: int = logging.WARNING) -> logging.LogRecord:
    """One record as a module would make it."""
    return logging.LogRecord("agent.stream", level, __file__, 1, message, args, None)


@pytest.fixture
def folded() -> tuple[SteppedClock, Lines, FoldedLog]:
    """A folded log on a clock of its own."""
    clock, lines = SteppedClock(), Lines()
    return clock, lines, FoldedLog(lines, clock)


Folded = tuple[SteppedClock, Lines, FoldedLog]


def test_repeats_are_counted_not_written(folded: Folded) -> None:
    """A fault 25 times a second for an hour is a handful of lines, and every withheld one is accounted for."""
    clock, lines, log = folded
    times = 25 * 3600
    for n in range(times):
        clock.now_ns = n * NS // 25
        log.handle(record("fault on %s", n))
    assert len(lines.lines) <= FIRST_LINES + 60
    assert lines.lines[:FIRST_LINES] == [f"fault on {n}" for n in range(FIRST_LINES)]
    counted = sum(int(line.split("(")[1].split()[0]) for line in lines.lines if "(" in line)
    last_window = 25 * int(WINDOW_S)
    assert times - last_window <= len(lines.lines) + counted <= times


def test_line_after_silence_is_written_at_once(folded: Folded) -> None:
    """Folding is for what repeats: a line that comes back after silence is heard, with its neighbours."""
    clock, lines, log = folded
    for _ in range(100):
        log.handle(record("fault"))
    clock.now_ns += int(3 * WINDOW_S * NS)
    del lines.lines[:]
    for _ in range(FIRST_LINES):
        log.handle(record("fault"))
    assert lines.lines == ["fault (95 more like this were not written)", *["fault"] * (FIRST_LINES - 1)]


def test_all_kinds_together_are_bounded_but_errors_pass(folded: Folded) -> None:
    """Thousands of different lines cannot flood either; an error among them is still written."""
    _, lines, log = folded
    for n in range(5000):
        log.handle(record(f"kind {n}"))
    assert len(lines.lines) == LINES_PER_WINDOW
    log.handle(record("the disk is gone", level=logging.ERROR))
    assert lines.lines[-1] == "the disk is gone"
    assert len(log._heard) <= REMEMBERED


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90)), max_size=200))
def test_nothing_is_lost_unsaid(steps: list[tuple[str, int]]) -> None:
    """Whatever comes when: written lines, told counts and what is still owed add up to what was logged."""
    clock, lines = SteppedClock(), Lines()
    log = FoldedLog(lines, clock)
    for kind, seconds in steps:
        clock.now_ns += seconds * NS
        log.handle(record(kind))
    told = sum(int(line.split("(")[1].split()[0]) for line in lines.lines if "(" in line)
    owed = sum(heard.withheld for heard in log._heard.values())
    assert len(lines.lines) + told + owed == len(steps)


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        (logging.INFO, "00:00:01 main: no picture for 5 s"),
        (logging.WARNING, "00:00:01 main: warning: no picture for 5 s"),
    ],
)
def test_line_reads_as_a_sentence(level: int, wanted: str) -> None:
    """A technician reads when, who and what; a severity only where it is one."""
    line = record("no picture for %d s", 5, level=level)
    line.created = 1.0
    assert Sentence().format(line) == wanted


def test_component_is_the_thread_that_speaks() -> None:
    """A component is a thread, so its name needs no repeating in every message."""
    said: list[str] = []

    def speak(say: Callable[[str], None] = said.append) -> None:
        say(Sentence().format(record("opened")))

    thread = threading.Thread(target=speak, name="camera")
    thread.start()
    thread.join(60)
    assert said[0].split(" ", 1)[1] == "camera: warning: opened"


def test_traceback_follows_its_line() -> None:
    """A bug keeps its traceback in the log, below one readable line."""
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        line = record("failed and cannot go on", level=logging.ERROR)
        line.exc_info = sys.exc_info()
    first, *rest = Sentence().format(line).splitlines()
    assert first.endswith("main: error: failed and cannot go on")
    assert rest[0].startswith("Traceback")
    assert rest[-1] == "ZeroDivisionError: integer division or modulo by zero"
