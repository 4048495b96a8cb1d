"""The month's data: each byte once, over reboots, resets and months, whatever the clock does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.base.clock import ClockQuality
from agent.ports.modem import LinkBytes
from agent.sensors.data_used import DataUsed, Used, counted, month_of
from tests.support.manual_clock import ManualClock

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["pass", "pass", "pass", "boot", "reset", "away"]), st.integers(0, 5_000_000), st.integers(0, 9_000)
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_each_byte_counts_once(steps: list[tuple[str, int, int]]) -> None:
    """Against a plain sum: what passed between two looks, reboots and resets of the counters between."""
    used, boot, kernel, expected = Used(date(2026, 6, 1)), 0, [0, 0], 0
    for what, sent, received in steps:
        boot += what == "boot"
        if what in ("boot", "reset"):
            if what == "reset" and sent >= kernel[0] and received >= kernel[1]:
                continue  # a modem that came back and carried more since: nobody can tell that from mere traffic
            kernel = [0, 0]
        kernel[0], kernel[1] = kernel[0] + sent, kernel[1] + received
        expected += sent + received
        used = counted(used, LinkBytes(kernel[1], kernel[0]), str(boot))
    assert used.total == expected


@given(day=st.dates(date(2020, 1, 1), date(2100, 1, 1)), begins_on=st.integers(1, 28))
def test_a_month_holds_its_days(day: date, begins_on: int) -> None:
    """It begins on the plan's day, not after the day in question, and lasts no longer than a month."""
    begins = month_of(day, begins_on)
    assert (begins.day, begins <= day, day - begins < timedelta(days=31)) == (begins_on, True, True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(amounts=st.lists(st.integers(0, 3_000_000), min_size=1, max_size=20), cut=st.integers(0, 19))
def test_a_power_cut_costs_at_most_what_was_not_kept(tmp_path: Path, amounts: list[int], cut: int) -> None:
    """A megabyte, or a minute's worth: after the cut the count is never more than what passed, and less by that at most."""
    path = tmp_path / "used.json"
    path.unlink(missing_ok=True)
    clock = ManualClock()
    counter, passed = DataUsed(path, 1, clock, "a"), 0
    for amount in amounts[: cut + 1]:
        passed += amount
        clock.advance(10)
        counter.look(LinkBytes(passed, 0))
    after = DataUsed(path, 1, clock, "b")
    assert passed - 1_000_000 <= after.used.total <= passed


def test_a_new_month_begins_at_zero_and_a_clock_that_came_back_keeps_the_count(tmp_path: Path) -> None:
    """The plan's day passes offline too; a clock that is not set turns no month."""
    clock = ManualClock(datetime(2026, 6, 30, 23, 59, 0, tzinfo=UTC))
    counter = DataUsed(tmp_path / "used.json", 1, clock, "a")
    counter.look(LinkBytes(1000, 500))
    clock.clock_quality = ClockQuality.UNSET
    clock.advance(120)
    counter.look(LinkBytes(1000, 500))
    assert (counter.used.begins, counter.used.total) == (date(2026, 6, 1), 1500)
    clock.clock_quality = ClockQuality.HOLDOVER
    counter.look(LinkBytes(1100, 500))
    assert (counter.used.begins, counter.used.total) == (date(2026, 7, 1), 100)
    clock.clock_quality = ClockQuality.SYNCHRONISED
    clock.step_wall(datetime(2026, 6, 30, 23, 0, 0, tzinfo=UTC))
    counter.look(LinkBytes(1100, 500))
    assert (counter.used.begins, counter.used.total) == (date(2026, 6, 1), 100)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"begins":"2026-06-01","sent":-1}', b"\xff\xfe", b'{"begins":7}'])
def test_a_damaged_count_begins_anew_and_is_told(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """It costs the month's figure, never the node."""
    path = tmp_path / "used.json"
    path.write_bytes(content)
    assert DataUsed(path, 1, ManualClock(), "a").used == Used(date(2026, 6, 1))
    assert "begins anew" in caplog.text


def test_a_disk_that_refuses_is_told_once_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The count goes on in memory."""
    clock = ManualClock()
    counter = DataUsed(tmp_path / "missing" / "used.json", 1, clock, "a")
    for n in range(1, 4):
        clock.advance(120)
        counter.look(LinkBytes(n * 10_000_000, 0))
    assert counter.used.total == 30_000_000
    assert caplog.text.count("cannot be kept") == 1
    (tmp_path / "missing").mkdir()
    counter.keep()
    assert DataUsed(tmp_path / "missing" / "used.json", 1, clock, "a").used.total == 30_000_000
