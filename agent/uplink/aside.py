"""What the broker does not take for now: remembered by topic and by row, left alone for a while, then tried once again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.base.topic import COUNT, WORDS, Topic
from agent.ports.event import Event, Priority, Value
from agent.uplink.pace import Pace

EVENTS_SET_ASIDE = "Monitoring/vigie:EventsSetAside"
TOPICS = (
    Topic(
        EVENTS_SET_ASIDE,
        "The broker does not take this topic for now.",
        {"Topic": WORDS, "Reason": WORDS, "First": COUNT},
        {},
        state=False,
    ),
)
Key = int | str
"""A row by its sequence, or a place: a topic, all stills being one."""

_NAMED_MOST = 3
_PROBED_WITHIN_NS = 60 * NS
_SOON_NS = 30 * NS
"""What would be due so soon is tried along with the rest: one new connection for many topics."""


class Told(Struct, frozen=True):
    """A place of which rows were set aside for the first time: what the hub shall hear of it."""

    place: str
    why: str
    sequence: int

    def event(self, wall_ns: int) -> Event:
        """An alarm: the gap in the sequence is known here, and will be filled."""
        data: dict[str, Value] = {"Topic": self.place, "Reason": self.why, "First": self.sequence}
        return Event(EVENTS_SET_ASIDE, wall_ns, {}, data, priority=Priority.ALARM)


@dataclass(slots=True)
class _Resting:
    why: str
    rests_s: float
    ends_ns: int
    rows: int = 0
    probing: bool = False
    probe_is_out: bool = False
    told: bool = False


class Aside:
    """One thread, but for `words` and `rows`.

    A key rests for `Pace.rest_s`, and each time it is refused again for twice as long, up to `rest_most_s`. When its time is
    over one publication of it is let through; what becomes of that decides.
    """

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock
        self._resting: dict[Key, _Resting] = {}

    def refuse(self, key: Key, why: str) -> None:
        """It was not taken: it rests from now on, or again. `why` completes a sentence that begins with its name."""
        now_ns = self._clock.monotonic_ns()
        known = self._resting.get(key)
        if known is None:
            self._resting[key] = _Resting(why, self._pace.rest_s, now_ns + round(self._pace.rest_s * NS))
        elif known.probing:
            known.why, known.probing, known.probe_is_out = why, False, False
            known.rests_s = min(2 * known.rests_s, self._pace.rest_most_s)
            known.ends_ns = now_ns + round(known.rests_s * NS)

    def accept(self, key: Key) -> bool:
        """It was taken; True when it had rested, so that what was set aside for it can go."""
        return self._resting.pop(key, None) is not None

    def holds(self, *keys: Key) -> bool:
        """Whether one of the keys rests. The first publication that is asked for after its rest is let through."""
        for key in keys:
            resting = self._resting.get(key)
            if resting is not None and (not resting.probing or resting.probe_is_out):
                return True
        for key in keys:
            resting = self._resting.get(key)
            if resting is not None:
                resting.probe_is_out = True
        return False

    def probes(self, key: Key) -> bool:
        """Whether the one publication that decides over this key is out."""
        resting = self._resting.get(key)
        return resting is not None and resting.probing and resting.probe_is_out

    def keep(self, sequence: int, place: str) -> Told | None:
        """A row of this place is set aside; what to tell, the first time."""
        resting = self._resting.get(sequence) or self._resting.get(place)
        if resting is None:
            return None
        resting.rows += 1
        if resting.told:
            return None
        resting.told = True
        return Told(place, resting.why, sequence)

    def taken_anew(self) -> None:
        """Every row that waits is offered anew: they are counted anew."""
        for resting in self._resting.values():
            resting.rows = 0

    def begin(self) -> None:
        """A new connection: what has rested long enough is tried; what was to be tried on the last one and never came is over."""
        now_ns = self._clock.monotonic_ns()
        for key, resting in list(self._resting.items()):
            if resting.probing and not resting.probe_is_out:
                del self._resting[key]
            elif now_ns + _SOON_NS >= resting.ends_ns:
                resting.probing, resting.probe_is_out = True, False
        self.taken_anew()

    @property
    def due_ns(self) -> int | None:
        """When something has rested long enough to ask for a new connection; None while nothing rests."""
        return min((resting.ends_ns for resting in self._resting.values() if not resting.probing), default=None)

    @property
    def is_due(self) -> bool:
        """Something has rested long enough."""
        due_ns = self.due_ns
        return due_ns is not None and self._clock.monotonic_ns() >= due_ns

    @property
    def rows(self) -> int:
        """How many rows are set aside; any thread."""
        return sum(resting.rows for resting in list(self._resting.values()))

    def words(self) -> str:
        """What is set aside, and why; empty when nothing is. Any thread."""
        return "; ".join(self._phrases())

    def _phrases(self) -> Iterator[str]:
        found = sorted(self._resting.items(), key=lambda item: (isinstance(item[0], int), str(item[0])))
        now_ns = self._clock.monotonic_ns()
        found = [(key, resting) for key, resting in found if not resting.probing or now_ns < resting.ends_ns + _PROBED_WITHIN_NS]
        for key, resting in found[:_NAMED_MOST]:
            name = f"event {key}" if isinstance(key, int) else key
            yield f"{name} {resting.why}"
        if len(found) > _NAMED_MOST:
            yield f"{len(found) - _NAMED_MOST} more are set aside"
