"""The clock's lines: unset, drifting, corrected, and by whom."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.base.clock import NS, ClockQuality
from agent.base.kernel_clock import KernelClock, read_kernel_clock
from agent.commissioning.clock import judge_clock
from agent.commissioning.line import Grade, Line
from agent.commissioning.programs import Answer

NOW_NS = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()) * NS
CHRONY = "C0A80001,ntp.town.example,3,1795600000.1,{offset},0.0,0.0,1.0,0.0,0.0,0.01,0.01,64.0,Normal"


def lines(
    tmp_path: Path, quality: ClockQuality, answers: dict[str, Answer], kernel_offset_s: float = 0.0, wall_ns: int = NOW_NS
) -> dict[str, Line]:
    """By check, with these programs installed."""
    kernel = KernelClock(quality is ClockQuality.SYNCHRONISED, kernel_offset_s, 0.01)
    return {line.check: line for line in judge_clock(wall_ns, quality, lambda: kernel, lambda *c: answers.get(c[0]), tmp_path)}


def test_an_unset_clock_fails(tmp_path: Path) -> None:
    """A board that believes it is 1970 dates no evidence."""
    found = lines(tmp_path, ClockQuality.UNSET, {}, wall_ns=60 * NS)["clock"]
    assert found.grade is Grade.FAIL
    assert "1970" in found.measured


@pytest.mark.parametrize(
    ("offset", "grade", "told"),
    [("0.000012", Grade.OK, "-0.0 ms"), ("0.75", Grade.WARN, "-750 ms"), ("-1.5", Grade.WARN, "+1500 ms")],
)
def test_chrony_tells_server_and_offset(tmp_path: Path, offset: str, grade: Grade, told: str) -> None:
    """Slow of NTP is negative: this clock lags; half a second is too much for evidence."""
    answers = {"chronyc": Answer(0, CHRONY.format(offset=offset))}
    found = lines(tmp_path, ClockQuality.SYNCHRONISED, answers)["clock"]
    assert found.grade is grade
    assert told in found.measured
    assert "ntp.town.example" in found.measured


def test_timesyncd_tells_its_server_and_the_kernel_the_offset(tmp_path: Path) -> None:
    """Without chrony."""
    answers = {"timedatectl": Answer(0, "ServerName=0.debian.pool.ntp.org\nServerAddress=192.0.2.1")}
    found = lines(tmp_path, ClockQuality.SYNCHRONISED, answers, kernel_offset_s=0.0021)["clock"]
    assert found.grade is Grade.OK
    assert "0.debian.pool.ntp.org" in found.measured
    assert "+2.1 ms" in found.measured


@pytest.mark.parametrize(
    "answers", [{}, {"chronyc": Answer(1, "506 Cannot talk to daemon")}, {"chronyc": Answer(0, "what,ever")}]
)
def test_nobody_who_keeps_it_is_a_warning(tmp_path: Path, answers: dict[str, Answer]) -> None:
    """Set once and drifting since; an answer that is none is not taken for one."""
    found = lines(tmp_path, ClockQuality.HOLDOVER, answers)["clock"]
    assert found.grade is Grade.WARN
    assert found.remedy


def test_a_board_with_a_battery_backed_clock_is_recognised(tmp_path: Path) -> None:
    """By its rtc device."""
    assert lines(tmp_path, ClockQuality.SYNCHRONISED, {})["clock battery"].grade is Grade.WARN
    (tmp_path / "sys/class/rtc/rtc0").mkdir(parents=True)
    assert lines(tmp_path, ClockQuality.SYNCHRONISED, {})["clock battery"].grade is Grade.OK


def test_the_kernel_at_hand_answers() -> None:
    """adjtimex, read only: a bound on the error that is no negative number, or a sandbox that refuses."""
    try:
        state = read_kernel_clock()
    except OSError:
        return
    assert state.greatest_error_s >= 0
    assert abs(state.offset_s) < 10
