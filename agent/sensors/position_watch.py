"""From fixes to events: where the unit stands, and whether that is still where it was put up.

Measured over three days of simulated jitter, a minute's median is 100 m off three times in a street and nine times in a narrow
one: so a position alone is an alarm, and the view and the tilt protect the masks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.phrase import amount, say
from agent.base.topic import NUMBER, TRUTH, WORDS, Topic
from agent.board.hysteresis import Hysteresis
from agent.ports.event import Event, Priority, PropertyOperation, Value
from agent.ports.position import Fix
from agent.sensors.place import Place, middle

GEO_LOCATION: Final = "Monitoring/GeoLocation"
MOVED: Final = "vigie:Moved"
TOPICS: Final = (
    Topic(
        GEO_LOCATION,
        "Where the unit stands by its receiver, in WGS 84: the median of a minute, or a stolen unit's newest fix.",
        {"lat": NUMBER, "lon": NUMBER, "elevation": NUMBER, "error_m": NUMBER},
        grade="property",
        at_times=frozenset({"elevation", "error_m"}),
    ),
    Topic(
        MOVED,
        "By its position the unit was carried off, or stands outside of its perimeter.",
        {"State": TRUTH, "Reason": WORDS},
    ),
)
OVER_NS: Final = 60 * NS
_FEWEST: Final = 3
_SPAN_NS: Final = 15 * NS
_STEP_M: Final = 25.0
"""A position is told again when it has gone so far..."""
_PAUSE_NS: Final = 60 * NS
"""...and not more often than this."""
CHASED_SOON_NS: Final = 10 * NS
CHASED_LATER_NS: Final = 60 * NS
CHASED_SOON_FOR_NS: Final = 600 * NS
"""A unit that is taken for stolen tells its newest fix so often, for so long; then each minute."""
_BACK: Final = 0.8
"""Of `moved_m`: nearer than this it is back."""


class PositionWatch:
    """One thread, but for `place` and `moved`. `home` is where it was put up; None while nobody has said."""

    def __init__(self, node_id: str, moved_m: float, clock: Clock) -> None:
        self.place: Place | None = None
        self.moved = ""
        """How far it was carried, in words; empty while it was not, or nobody can tell."""
        self.home: Place | None = None
        self._moved_m = moved_m
        self._node_id = node_id
        self._clock = clock
        self._fixes: deque[Fix] = deque()
        self._hysteresis = Hysteresis(on_after_s=0, off_after_s=60)
        self._told: tuple[int, Place] | None = None
        self._told_fix_ns = 0
        self._chased_ns: int | None = None

    def observe(self, fix: Fix | None) -> list[Event]:
        """Take the receiver's answer; what is to be told. Without a fix the place is known for a minute still, then not."""
        now_ns = self._clock.monotonic_ns()
        if fix is not None and (not self._fixes or fix.heard_ns > self._fixes[-1].heard_ns):
            self._fixes.append(fix)
        while self._fixes and self._fixes[0].heard_ns < now_ns - OVER_NS:
            self._fixes.popleft()
        enough = len(self._fixes) >= _FEWEST and self._fixes[-1].heard_ns - self._fixes[0].heard_ns >= _SPAN_NS
        self.place = middle([Place(each.latitude, each.longitude) for each in self._fixes]) if enough else None
        return [*self._whereabouts(), *self._carried_off()]

    def chase(self, stolen: bool) -> None:
        """Whether somebody carries it off, as it seems: then each fix counts, not the median of a minute."""
        if not stolen:
            self._chased_ns = None
        elif self._chased_ns is None:
            self._chased_ns = self._clock.monotonic_ns()

    def last_words(self) -> list[Event]:
        """Where it is, told once more whether it moved or not: the power goes. Nothing where nobody knows."""
        if self.place is not None:
            return [self._told_now(self.place)]
        return [self._told_now(Place(fix.latitude, fix.longitude)) for fix in list(self._fixes)[-1:]]

    def _chase(self, chased_ns: int) -> Iterator[Event]:
        now_ns = self._clock.monotonic_ns()
        pause_ns = CHASED_SOON_NS if now_ns - chased_ns < CHASED_SOON_FOR_NS else CHASED_LATER_NS
        is_due = self._told is None or self._told[0] < chased_ns or now_ns - self._told[0] >= pause_ns
        newest = self._fixes[-1] if self._fixes else None
        if is_due and newest is not None and newest.heard_ns > max(self._told_fix_ns, now_ns - CHASED_SOON_NS):
            yield self._told_now(Place(newest.latitude, newest.longitude))

    def _whereabouts(self) -> Iterator[Event]:
        if self._chased_ns is not None:
            yield from self._chase(self._chased_ns)
            return
        if self.place is None:
            return
        now_ns = self._clock.monotonic_ns()
        if self._told is not None and (self._told[1].metres_to(self.place) < _STEP_M or now_ns - self._told[0] < _PAUSE_NS):
            return
        yield self._told_now(self.place)

    def _told_now(self, place: Place) -> Event:
        newest = self._fixes[-1]
        data: dict[str, Value] = {"lat": round(place.latitude, 6), "lon": round(place.longitude, 6)}
        data |= {} if newest.altitude_m is None else {"elevation": round(newest.altitude_m, 1)}
        data |= {} if newest.error_m is None else {"error_m": round(newest.error_m, 1)}
        first, self._told = self._told is None, (self._clock.monotonic_ns(), place)
        self._told_fix_ns = newest.heard_ns
        return self._event(GEO_LOCATION, data, first=first, priority=Priority.PROPERTY)

    def _carried_off(self) -> Iterator[Event]:
        if self.home is None or self.place is None:
            return
        metres = self.home.metres_to(self.place)
        first, was = self._hysteresis.state is None, bool(self._hysteresis.state)
        astray = say("it stands {metres} m from where it was put up", metres=amount(metres, 0))
        limit = self._moved_m * (_BACK if was else 1.0)
        if self._hysteresis.observe(metres > limit, self._clock.monotonic_ns()):
            now = bool(self._hysteresis.state)
            why = str(astray) if now else ""
            yield self._event(MOVED, {"State": now, "Reason": why}, first=first, priority=Priority.ALARM)
        self.moved = astray if self._hysteresis.state else ""

    def _event(self, topic: str, data: dict[str, Value], *, first: bool, priority: Priority) -> Event:
        operation = PropertyOperation.INITIALIZED if first else PropertyOperation.CHANGED
        return Event(topic, self._clock.wall_ns(), {"Token": self._node_id}, data, operation, priority)
