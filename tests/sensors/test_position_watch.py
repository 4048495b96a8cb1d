"""Where the unit stands: steadied over a minute, told when it changes, an alarm when it was carried off."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.ports.event import Event
from agent.ports.position import Fix
from agent.sensors.place import Place, middle
from agent.sensors.position_watch import GEO_LOCATION, MOVED, PositionWatch
from tests.support.manual_clock import ManualClock
from tests.support.nmea import CHALON, METRES_A_DEGREE

HOME = Place(*CHALON)
PLACES = st.builds(Place, st.floats(-89, 89), st.floats(-180, 180))


def watch(clock: ManualClock, home: Place | None = HOME) -> PositionWatch:
    """Of a unit put up on the square."""
    made = PositionWatch("pole-7", 100.0, clock)
    made.home = home
    return made


def walked(made: PositionWatch, clock: ManualClock, metres: Iterable[float | None]) -> list[tuple[int, Event]]:
    """A second for each: so far north of home, None without a fix. What was told, and in which second."""
    told = []
    for second, north in enumerate(metres):
        clock.advance(1)
        fix = None if north is None else Fix(CHALON[0] + north / METRES_A_DEGREE, CHALON[1], clock.monotonic_ns())
        told += [(second, event) for event in made.observe(fix)]
    return told


def moved(told: list[tuple[int, Event]]) -> list[tuple[int, bool]]:
    """The second and the state of each word on it."""
    return [(second, bool(event.data["State"])) for second, event in told if event.topic == MOVED]


def test_a_unit_that_stands_is_told_once_and_raises_nothing() -> None:
    """An hour of five metres' jitter: one position, one all-clear."""
    clock, dice = ManualClock(), random.Random(3)
    told = walked(made := watch(clock), clock, (dice.gauss(0, 5) for _ in range(3600)))
    assert [event.topic for _, event in told] == [GEO_LOCATION, MOVED]
    assert moved(told) == [(15, False)]
    assert made.moved == ""


def test_one_that_is_carried_off_is_noticed_within_a_minute_and_is_back_when_it_is() -> None:
    """Five metres a second: past 100 m after 20 s, and half a minute's median later it is told, once."""
    clock = ManualClock()
    made = watch(clock)
    away = walked(made, clock, [0.0] * 120 + [5.0 * n for n in range(120)])
    ((_, first), (second, state)) = moved(away)
    assert (first, state) == (False, True)
    assert 120 + 20 <= second <= 120 + 60
    assert "m from where it was put up" in made.moved
    back = walked(made, clock, [0.0] * 180)
    assert [state for _, state in moved(back)] == [False]
    assert made.moved == ""


def test_a_reflection_of_twenty_seconds_is_no_move() -> None:
    """Half a kilometre for a third of the minute counts for nothing."""
    clock = ManualClock()
    assert moved(walked(watch(clock), clock, [0.0] * 100 + [500.0] * 20 + [0.0] * 100)) == [(15, False)]


def test_without_a_fix_nobody_knows_and_nothing_is_told() -> None:
    """The last minute's place is no place any more; one that was carried off stays so."""
    clock = ManualClock()
    made = watch(clock)
    walked(made, clock, [500.0] * 60)
    assert made.moved
    assert walked(made, clock, [None] * 120) == []
    assert made.place is None
    assert made.moved
    never = watch(clock)
    assert walked(never, clock, [None] * 120) == []
    assert (never.place, never.moved) == (None, "")


def test_nobody_said_where_it_was_put_up() -> None:
    """Its position is told; whether that is right nobody can say."""
    clock = ManualClock()
    told = walked(watch(clock, home=None), clock, [float(n) for n in range(300)])
    assert {event.topic for _, event in told} == {GEO_LOCATION}
    assert len(told) <= 1 + 300 // 60


def test_a_fix_that_is_read_twice_counts_once() -> None:
    """A receiver that stopped speaking does not vouch for its last word for ever."""
    clock = ManualClock()
    made, fix = watch(clock), Fix(*CHALON, clock.monotonic_ns())
    for _ in range(30):
        clock.advance(1)
        made.observe(fix)
    assert made.place is None


@given(a=PLACES, b=PLACES)
def test_distance_is_a_distance(a: Place, b: Place) -> None:
    """The same there and back, none to itself, never more than half round the earth."""
    assert a.metres_to(a) == 0
    assert abs(a.metres_to(b) - b.metres_to(a)) < 1e-6 * (1 + a.metres_to(b))
    assert 0 <= a.metres_to(b) < 20_020_000


@given(st.lists(PLACES, min_size=1, max_size=9))
def test_the_middle_lies_among_them(places: list[Place]) -> None:
    """Between the southernmost and the northernmost, and on the earth."""
    found = middle(places)
    assert min(p.latitude for p in places) <= found.latitude <= max(p.latitude for p in places)
    assert -180 <= found.longitude < 180 + 1e-9


def test_the_date_line_is_no_edge() -> None:
    """The middle of two places beside it is not Africa."""
    found = middle([Place(0, 179.999), Place(0, -179.999), Place(0, -179.999)])
    assert Place(0, 180).metres_to(found) < 200


def test_one_that_is_stolen_tells_each_ten_seconds_for_ten_minutes_and_then_each_minute() -> None:
    """At once, by its newest fix, moving or not; without a fix nothing; given back, it is calm again."""
    clock = ManualClock()
    made = watch(clock)
    walked(made, clock, [0.0] * 120)
    made.chase(True)
    told = [second for second, event in walked(made, clock, [10.0 * n for n in range(1800)]) if event.topic == GEO_LOCATION]
    soon, later = [second for second in told if second < 600], [second for second in told if second >= 600]
    assert soon == list(range(0, 600, 10))
    assert [b - a for a, b in pairwise(later)] == [60] * (len(later) - 1)
    assert len(later) == 20
    lost = [second for second, event in walked(made, clock, [None] * 300) if event.topic == GEO_LOCATION]
    assert all(second < 10 for second in lost), "a fix of before is told as if it were one of now"
    ((_, stands),) = [each for each in walked(made, clock, [18_000.0] * 5) if each[1].topic == GEO_LOCATION]
    assert stands.data["lat"] == round(CHALON[0] + 18_000 / METRES_A_DEGREE, 6)
    made.chase(False)
    calm = [event for _, event in walked(made, clock, [18_000.0] * 600) if event.topic == GEO_LOCATION]
    assert len(calm) <= 1


def test_an_empty_battery_has_a_last_word_on_where_it_is_if_anybody_knows() -> None:
    """Though it has not moved; never a guess."""
    clock = ManualClock()
    made = watch(clock)
    assert made.last_words() == []
    walked(made, clock, [0.0] * 60)
    (word,) = made.last_words()
    assert (word.topic, word.data["lat"]) == (GEO_LOCATION, round(CHALON[0], 6))
    walked(made, clock, [None] * 90)
    assert made.last_words() == []
