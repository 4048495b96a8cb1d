"""A property event with hold times: a state that is raised when its cause has lasted, and falls when it has been gone."""

from __future__ import annotations

from collections.abc import Sequence

from agent.base.clock import NS
from agent.ports.event import Event, Priority, PropertyOperation

Reading = bool | None
"""What was seen: the cause is there, is not there, or cannot be told (the state then stays as it is)."""


class HeldState:
    """One ONVIF property. Times are the frames' monotonic ones; a step backwards restarts the holds, never the state."""

    def __init__(self, topic: str, source: str, *, rise_s: float, fall_s: float, priority: Priority = Priority.PROPERTY) -> None:
        self.active = False
        self._topic = topic
        self._source = source
        self._priority = priority
        self._rise_ns = round(rise_s * NS)
        self._fall_ns = round(fall_s * NS)
        self._announced = False
        self._since_ns: int | None = None
        """Since when the readings have contradicted the state."""

    def observe(self, reading: Reading, monotonic_ns: int, wall_ns: int) -> Sequence[Event]:
        """Take one reading; the events it brings: at first `Initialized`, then `Changed` on every change."""
        reading = None if reading is None else bool(reading)  # numpy's own is no bool to whoever writes JSON
        if reading == self.active and self._announced:
            self._since_ns = None
            return ()
        events = []
        if not self._announced:
            self._announced = True
            events.append(self._event(PropertyOperation.INITIALIZED, wall_ns))
        if reading is None:
            return events
        if reading == self.active:
            self._since_ns = None
            return events
        if self._since_ns is None or monotonic_ns < self._since_ns:
            self._since_ns = monotonic_ns
        if monotonic_ns - self._since_ns >= (self._fall_ns if self.active else self._rise_ns):
            self.active = reading
            self._since_ns = None
            events.append(self._event(PropertyOperation.CHANGED, wall_ns))
        return events

    def _event(self, operation: PropertyOperation, wall_ns: int) -> Event:
        return Event(self._topic, wall_ns, {"Source": self._source}, {"State": self.active}, operation, priority=self._priority)
