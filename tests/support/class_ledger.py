"""docs/hub/missed.md for one who hears a class alone, as a program of none of the node's code: what is missing of that class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class _Epoch:
    """Of one count: the highest number, and of each number the id and its sequence among all events."""

    highest: int
    ids: dict[int, str] = field(default_factory=dict)
    sequences: dict[int, int] = field(default_factory=dict)
    missing: set[int] = field(default_factory=set)

    def between(self, number: int) -> tuple[int, int]:
        """The sequences that a missing number lies between."""
        below = max((s for n, s in self.sequences.items() if n < number), default=0)
        above = min((s for n, s in self.sequences.items() if n > number), default=1 << 53)
        return below, above


class ClassLedger:
    """`missing` are numbers of the class that nobody has accounted for, by epoch; `verdicts` says in words what is unknown."""

    def __init__(self, of_class: str) -> None:
        self.verdicts: list[str] = []
        self._class = of_class
        self._epochs: dict[str, _Epoch] = {}
        self._epoch = ""
        self._drops: list[Mapping[str, int]] = []

    def take(self, topic: str, payload: bytes, properties: Mapping[str, str], *, retained: bool) -> None:
        """One message of the node, of any class."""
        if topic.endswith("/health"):
            self._health(json.loads(payload)["outbox"])
        if retained or {"trial", "restated"} & properties.keys():
            return
        if "vigie:EventsDropped" in topic and f"&{self._class}/" in topic:
            self._drops.append(json.loads(payload)["Data"])
        if properties.get("class") == self._class and "class-sequence" in properties:
            self._number(properties["epoch"], int(properties["class-sequence"]), properties)

    def _number(self, epoch: str, number: int, properties: Mapping[str, str]) -> None:
        if epoch not in self._epochs:
            if self._epoch:
                self.verdicts.append("a new count: what the last one had beyond the highest number heard is unknown")
            self._epochs[epoch] = _Epoch(0 if self._epoch else number - 1)
            self._epoch = epoch
        count = self._epochs[epoch]
        if count.ids.get(number, properties["event-id"]) != properties["event-id"]:
            self.verdicts.append("an old copy of the database was restored: what the newer one had waiting is unknown")
            count = self._epochs[epoch] = _Epoch(number - 1)
        count.missing |= set(range(count.highest + 1, number))
        count.missing.discard(number)
        count.highest = max(count.highest, number)
        count.ids[number] = properties["event-id"]
        count.sequences[number] = int(properties["sequence"])

    def _health(self, outbox: Mapping[str, object]) -> None:
        count, classes = self._epochs.get(str(outbox["epoch"])), outbox["classes"]
        if count is None or outbox["pending"] or not isinstance(classes, dict):
            return
        count.missing |= set(range(count.highest + 1, classes[self._class] + 1))
        count.highest = max(count.highest, classes[self._class])

    @property
    def missing(self) -> dict[str, list[int]]:
        """By epoch, without what the node said it dropped."""
        left = {}
        for name, count in self._epochs.items():
            open_ones = set(count.missing)
            for drop in self._drops:
                told = {n for n in open_ones if _meet(count.between(n), drop)}
                open_ones -= told if len(told) <= drop["Count"] else set()
            if open_ones:
                left[name] = sorted(open_ones)
        return left


def _meet(gap: tuple[int, int], drop: Mapping[str, int]) -> bool:
    return gap[0] < drop["Last"] and drop["First"] < gap[1]
