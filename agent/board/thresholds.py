"""From the board's figures to events: too hot, storage failing, too little voltage, throttled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.base.clock import Clock
from agent.base.topic import NUMBER, TRUTH, WORDS, Topic
from agent.board.hysteresis import Hysteresis
from agent.config.model import BoardLimits
from agent.ports.event import Event, Priority, PropertyOperation, Value
from agent.ports.host import BoardMetrics

TEMPERATURE = "Device/HardwareFailure/TemperatureCritical"
STORAGE = "Device/HardwareFailure/StorageFailure"
UNDERVOLTAGE = "Device/HardwareFailure/vigie:Undervoltage"
THROTTLED = "Device/vigie:Throttled"
_BOARD, _STORAGE = "board", "recordings"
TOPICS = (
    Topic(TEMPERATURE, "The board is too hot.", {"Critical": TRUTH, "Celsius": NUMBER}, {}, at_times=frozenset({"Celsius"})),
    Topic(
        STORAGE,
        "The storage fails, or is about to.",
        {"Failed": TRUTH, "Reason": WORDS},
        {"Token": _STORAGE},
        at_times=frozenset({"Reason"}),
    ),
    Topic(UNDERVOLTAGE, "The board gets too little power.", {"Low": TRUTH}, {"Token": _BOARD}),
    Topic(THROTTLED, "The board is slowed down.", {"Throttled": TRUTH}, {"Token": _BOARD}, grade="property"),
)

WORN_OUT_PERCENT = 100.0
"""Of the writes the maker warrants, as the storage itself counts them."""


@dataclass(slots=True)
class _Property:
    """One ONVIF property: its topic, what it says, and how long a state must last."""

    topic: str
    item: str
    hysteresis: Hysteresis
    source: Mapping[str, Value]
    priority: Priority = Priority.ALARM


class BoardWatch:
    """Judges each reading. One thread (the health thread); the events are for the caller to raise.

    The first reading that tells says how each property stands (Initialized), later ones only what changed. The
    temperature has two limits: it is critical from the upper one on, and no more below the lower one.
    """

    def __init__(self, limits: BoardLimits, clock: Clock) -> None:
        self.limits = limits
        self._clock = clock
        board, storage = {"Token": _BOARD}, {"Token": _STORAGE}
        self._temperature = _Property(TEMPERATURE, "Critical", Hysteresis(on_after_s=5, off_after_s=30), {})
        self._storage = _Property(STORAGE, "Failed", Hysteresis(on_after_s=0, off_after_s=60), storage)
        self._undervoltage = _Property(UNDERVOLTAGE, "Low", Hysteresis(on_after_s=0, off_after_s=60), board)
        self._throttled = _Property(
            THROTTLED, "Throttled", Hysteresis(on_after_s=10, off_after_s=60), board, priority=Priority.PROPERTY
        )

    def judge(self, metrics: BoardMetrics, storage_fault: str = "") -> list[Event]:
        """The events of this reading. `storage_fault` is what the recorder says of its disk, empty when it writes."""
        reason = storage_fault or storage_wear(metrics)
        return [
            *self._changes(self._temperature, self._too_hot(metrics), Celsius=metrics.temperature_c),
            *self._changes(self._storage, bool(reason), Reason=reason),
            *self._changes(self._undervoltage, metrics.undervoltage),
            *self._changes(self._throttled, metrics.throttled),
        ]

    def _too_hot(self, metrics: BoardMetrics) -> bool | None:
        if metrics.temperature_c is None:
            return None
        critical = self._temperature.hysteresis.state
        limit = self.limits.temperature_clear_c if critical else self.limits.temperature_critical_c
        return metrics.temperature_c >= limit

    def _changes(self, prop: _Property, condition: bool | None, **more: Value | None) -> Iterator[Event]:
        first = prop.hysteresis.state is None
        if not prop.hysteresis.observe(condition, self._clock.monotonic_ns()):
            return
        data: dict[str, Value] = {prop.item: bool(prop.hysteresis.state)}
        data |= {name: value for name, value in more.items() if value is not None and value != ""}
        operation = PropertyOperation.INITIALIZED if first else PropertyOperation.CHANGED
        yield Event(prop.topic, self._clock.wall_ns(), prop.source, data, operation, prop.priority)


def storage_wear(metrics: BoardMetrics) -> str:
    """Why the storage is about to fail by its own account; empty when it does not say so."""
    if metrics.more.get("storage_pre_eol") == "urgent":
        return "the storage has used up its spare blocks"
    worn = metrics.more.get("storage_worn_percent")
    if isinstance(worn, int | float) and worn >= WORN_OUT_PERCENT:
        return f"the storage has done {worn:.0f} % of the writes it is made for"
    return ""
