"""How the unit hangs: a tilt that lasts and a knock are told at once, and stay until a person commissions anew."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.ports.accelerometer import Acceleration
from agent.sensors.tilt_watch import TILTED, TiltWatch
from tests.support.manual_clock import ManualClock
from tests.support.sensing import hanging

AXIS = st.floats(-1, 1)
DIRECTIONS = st.tuples(AXIS, AXIS, AXIS).filter(lambda d: math.hypot(*d) > 0.2)


UPRIGHT = hanging(0)


def watched(*readings: Acceleration, upright: Acceleration | None = UPRIGHT) -> tuple[TiltWatch, list[tuple[str, bool]]]:
    """A second between two; what was told."""
    clock = ManualClock()
    made, told = TiltWatch("pole-7", 5.0, clock), []
    made.level(upright)
    for reading in readings:
        told += [(event.topic, bool(event.data["State"])) for event in made.observe(reading)]
        clock.advance(1)
    return made, told


def test_one_that_hangs_still_is_told_so_once() -> None:
    """Four degrees of sway are none."""
    made, told = watched(*[hanging(4 * math.sin(n)) for n in range(600)])
    assert told == [(TILTED, False)]
    assert made.tilted == ""


def test_a_tilt_that_lasts_is_told_within_three_seconds_and_stays() -> None:
    """Hung back by whoever did it, it is still tilted: a person has to look."""
    made, told = watched(hanging(0), *[hanging(9)] * 3, *[hanging(0)] * 600)
    assert told == [(TILTED, False), (TILTED, True)]
    assert made.tilted == "it hangs 9.0° otherwise than when it was commissioned"
    made.level(hanging(0))
    assert [event.data["State"] for event in made.observe(hanging(0))] == [False]


def test_a_gust_is_no_tilt_and_a_knock_is() -> None:
    """A second of ten degrees passes; three g do not."""
    assert watched(hanging(0), hanging(10), *[hanging(0)] * 5)[1] == [(TILTED, False)]
    made, told = watched(hanging(0), hanging(0, shock=30.0), hanging(0))
    assert told == [(TILTED, False), (TILTED, True)]
    assert "knocked" in made.tilted


def test_before_anybody_commissioned_it_nothing_is_told() -> None:
    """Nobody knows what is upright."""
    assert watched(hanging(80, shock=50.0), upright=None)[1] == []


@pytest.mark.parametrize("degrees", [0, 1, 5, 45, 90, 179])
def test_degrees_are_degrees(degrees: float) -> None:
    """Small ones as well as large ones."""
    assert hanging(0).tilt_from(hanging(degrees)) == pytest.approx(degrees, abs=1e-9)


@given(a=DIRECTIONS, b=DIRECTIONS, scale=st.floats(5, 20))
def test_tilt_is_between_directions_alone(a: tuple[float, float, float], b: tuple[float, float, float], scale: float) -> None:
    """0 to 180, the same both ways, and a sensor that is off by a factor changes nothing."""
    one, two = Acceleration(*(9.8 * v for v in a)), Acceleration(*(9.8 * v for v in b))
    found = one.tilt_from(two)
    assert found is not None
    assert 0 <= found <= 180
    assert two.tilt_from(one) == pytest.approx(found, abs=1e-6)
    assert one.tilt_from(Acceleration(*(scale * v for v in b))) == pytest.approx(found, abs=1e-6)


def test_a_dead_sensor_hangs_nowhere() -> None:
    """Zeros have no direction, and what is no number neither."""
    assert hanging(0).tilt_from(Acceleration(0, 0, 0)) is None
    assert hanging(0).tilt_from(Acceleration(math.nan, 0, 9.8)) is None
