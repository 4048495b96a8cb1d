"""The ladders: monotone, calm at a limit, and silent about what must never be spared."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.ports.battery import PowerMetrics
from agent.sensors.ladder import (
    BATTERY,
    CAP,
    EMPTY_PERCENT,
    MARGIN_PERCENT,
    BatteryLimits,
    BatteryRung,
    CapRung,
    Looking,
    Savings,
    Stills,
    battery_rung,
    cap_rung,
)

LIMITS = BatteryLimits()
PERCENT = st.floats(0, 100)
HOURS = st.none() | st.floats(0, 200)
RUNGS = st.sampled_from(list(BatteryRung))
POWER = st.builds(
    PowerMetrics,
    mains=st.none() | st.booleans(),
    percent=st.none() | PERCENT,
    hours_left=HOURS,
    state=st.sampled_from(["charging", "discharging", "full", "idle", "unknown"]),
)
SAVINGS = st.builds(
    Savings,
    st.floats(0, 3600),
    st.sampled_from(list(Stills)),
    st.sampled_from(list(Looking)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


def draining(percent: float) -> PowerMetrics:
    """On battery, by a gauge that knows no hours."""
    return PowerMetrics(mains=False, percent=percent, state="discharging")


def rung_of(percent: float, before: BatteryRung = BatteryRung.FULL) -> BatteryRung:
    """With the usual limits."""
    return battery_rung(draining(percent), before, LIMITS)


def test_the_limits_are_those_that_are_documented() -> None:
    """Half, 30, 12 and 3 percent on the way down."""
    found = [rung_of(percent).name for percent in (100, 50, 49.9, 30, 29.9, 12, 11.9, 3, 2.9, 0)]
    assert found == ["FULL", "FULL", "SAVING", "SAVING", "LOW", "LOW", "CRITICAL", "CRITICAL", "EMPTY", "EMPTY"]


@given(a=PERCENT, b=PERCENT, before=RUNGS)
def test_less_charge_is_never_a_higher_rung(a: float, b: float, before: BatteryRung) -> None:
    """From whichever rung it is looked at."""
    assert rung_of(min(a, b), before) >= rung_of(max(a, b), before)


@given(percent=PERCENT, before=RUNGS, rise=st.floats(0, MARGIN_PERCENT - 0.01))
def test_what_flutters_at_a_limit_changes_nothing(percent: float, before: BatteryRung, rise: float) -> None:
    """Once a rung is entered, a reading that rises by less than the margin keeps it."""
    taken = rung_of(percent, before)
    if before < taken:
        assert rung_of(min(100.0, percent + rise), taken) is (BatteryRung.EMPTY if percent + rise < EMPTY_PERCENT else taken)


@given(power=POWER, before=RUNGS)
def test_a_rung_that_is_taken_is_taken_again(power: PowerMetrics, before: BatteryRung) -> None:
    """The same reading twice changes nothing the second time."""
    once = battery_rung(power, before, LIMITS)
    assert battery_rung(power, once, LIMITS) is once


@given(before=RUNGS, state=st.sampled_from(["discharging", "idle", "unknown"]))
def test_what_cannot_be_told_changes_nothing(before: BatteryRung, state: str) -> None:
    """No gauge, or one that says neither charge nor hours."""
    assert battery_rung(None, before, LIMITS) is before
    assert battery_rung(PowerMetrics(state=state), before, LIMITS) is before  # type: ignore[arg-type]


@given(before=RUNGS, percent=PERCENT)
def test_a_supply_that_feeds_ends_all_saving_and_one_that_is_too_weak_none(before: BatteryRung, percent: float) -> None:
    """Mains with a battery that discharges all the same is no mains."""
    assert battery_rung(PowerMetrics(mains=True, percent=percent, state="charging"), before, LIMITS) is BatteryRung.FULL
    weak = PowerMetrics(mains=True, percent=percent, state="discharging")
    assert battery_rung(weak, before, LIMITS) is rung_of(percent, before)


def test_hours_go_before_percent_and_an_empty_battery_before_both() -> None:
    """A large battery at 40 % that lasts two days does without nothing; at 2 % nobody believes its hours."""
    lasting = replace(draining(40), hours_left=48.0)
    assert battery_rung(lasting, BatteryRung.FULL, LIMITS) is BatteryRung.FULL
    assert battery_rung(replace(draining(80), hours_left=1.0), BatteryRung.FULL, LIMITS) is BatteryRung.CRITICAL
    assert battery_rung(replace(draining(2), hours_left=48.0), BatteryRung.FULL, LIMITS) is BatteryRung.EMPTY


@given(used=st.integers(0, 10**12), more=st.integers(0, 10**11), cap=st.integers(10**6, 10**12), before=st.sampled_from(CapRung))
def test_more_data_is_never_a_higher_rung_of_the_cap(used: int, more: int, cap: int, before: CapRung) -> None:
    """And what was taken is taken again."""
    taken = cap_rung(used, cap, before)
    assert cap_rung(used + more, cap, before) >= taken
    assert cap_rung(used, cap, taken) is taken


def test_the_cap_has_three_limits_and_ends_with_the_month() -> None:
    """80, 90 and 100 percent."""
    assert [cap_rung(n, 100, CapRung.FREE).name for n in (0, 80, 81, 91, 101)] == ["FREE", "FREE", "MOST", "NEARLY_ALL", "ALL"]
    assert cap_rung(0, 100, CapRung.ALL) is CapRung.FREE


@given(a=SAVINGS, b=SAVINGS)
def test_of_two_ladders_the_stricter_one_holds(a: Savings, b: Savings) -> None:
    """In everything, whichever comes first."""
    both = a.and_also(b)
    assert both == b.and_also(a) == both.and_also(a) == both.and_also(b)


def test_each_rung_spares_at_least_what_the_one_above_it_does() -> None:
    """Further down nothing comes back."""
    for table in (list(BATTERY.values()), list(CAP.values())):
        assert all(above.and_also(below) == below for above, below in pairwise(table))


def test_no_rung_has_a_word_to_say_on_what_must_not_be_spared() -> None:
    """Masks, guard, signing, register, retention and alarms are no part of what a rung can switch."""
    assert Savings.__struct_fields__ == ("health_s", "stills", "looking", "legal_fps", "rests", "ends")
