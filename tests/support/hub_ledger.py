"""docs/hub/missed.md as a program, of none of the node's code: what one hub missed of one node."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


class HubLedger:
    """Take every message as it comes; `verdicts` says each loss in words, `holes` what to ask for again."""

    def __init__(self) -> None:
        self.verdicts: list[str] = []
        self.epoch = ""
        self.highest = 0
        self.missing: set[int] = set()
        self.lost: set[int] = set()
        self.unknown: set[int] = set()
        self.partial = False
        self._ids: dict[str, int] = {}
        self._names: dict[tuple[str, int], str] = {}
        self._counted: dict[str, int] = {}
        self._dropped = 0

    def take(self, topic: str, payload: bytes, properties: Mapping[str, str], *, retained: bool) -> None:
        """One message of the node."""
        if topic.endswith("/health"):
            self._health(json.loads(payload)["outbox"])
        if retained or {"trial", "restated"} & properties.keys() or "sequence" not in properties:
            return
        epoch, number, name = properties["epoch"], int(properties["sequence"]), properties["event-id"]
        if name in self._ids:
            return
        if "vigie:OutboxEpoch" in topic and epoch != self.epoch:
            self._begin(epoch, json.loads(payload)["Data"])
        elif not self.epoch:
            self.epoch, self.highest = epoch, number - 1
        if (epoch, number) in self._names and epoch == self.epoch:
            self._say("an old copy of the database was restored: what the newer one had waiting is unknown")
            self._ids = {known: at for known, at in self._ids.items() if at < number}
            self._names = {at: known for at, known in self._names.items() if at[1] < number}
            self.highest, self.missing = number - 1, {at for at in self.missing if at < number}
        self._ids[name] = number
        self._names[epoch, number] = name
        self.missing.discard(number)
        if epoch != self.epoch:
            return
        self.missing |= set(range(self.highest + 1, number))
        self.highest = max(self.highest, number)
        if "vigie:EventsDropped" in topic and not self.partial:
            self._drop(json.loads(payload)["Data"])

    def holes(self) -> list[tuple[int, int]]:
        """First and last of each run that is missing."""
        found: list[tuple[int, int]] = []
        for number in sorted(self.missing):
            if found and found[-1][1] == number - 1:
                found[-1] = (found[-1][0], number)
            else:
                found.append((number, number))
        return [] if self.partial else found

    def answered(self, span: tuple[int, int], gone: int) -> None:
        """The node's answer to `resend`, once what it sent again has come."""
        rest = self.missing & set(range(span[0], span[1] + 1))
        if gone and rest:
            self.missing -= rest
            self._lose(rest, "the node has them no more")

    def _begin(self, epoch: str, story: Mapping[str, Any]) -> None:
        counted = self._counted.get(self.epoch, 0)
        first, known = story["FirstSequence"], story["LastKnownSequence"]
        if self.epoch and not story["PreviousEpoch"]:
            at_least = max(0, counted - self.highest)
            self._say(f"the card was swapped: the loss is unknown, {at_least} events at least")
            self.highest, self.missing = first - 1, set()
        elif self.epoch and story["PreviousEpoch"] != self.epoch:
            self._say("a whole epoch went by unheard: the loss is unknown")
            self.highest, self.missing = first - 1, set()
        elif self.epoch:
            had = set(self._ids.values())
            used = max(known, story["UsedUpTo"], counted)
            self._lose(set(range(known + 1, used + 1)) - had, story["Reason"])
            self.missing = (self.missing | set(range(self.highest + 1, known + 1))) - self.lost
            self.unknown |= set(range(used + 1, first)) - had
            self._say(f"{story['Reason']}: {len(self.unknown)} numbers are unknown, most of them never used")
            self.highest = first - 1
        else:
            self.highest = first - 1
        self.epoch = epoch

    def _health(self, outbox: Mapping[str, Any]) -> None:
        self._counted[outbox["epoch"]] = outbox["sequence"]
        absent = outbox["sequence"] - self.highest
        if outbox["epoch"] == self.epoch and absent > 0 and outbox["pending"] == 0 and not self.partial:
            self.missing |= set(range(self.highest + 1, outbox["sequence"] + 1))
            self.highest = outbox["sequence"]
            self._say(f"the tail is missing: {absent} events")

    def _drop(self, data: Mapping[str, Any]) -> None:
        span = set(range(data["First"], data["Last"] + 1)) & self.missing
        if len(span) <= data["Count"]:
            self.missing -= span
        self._say(f"{data['Count']} events were dropped by the node, and said so")

    def _lose(self, numbers: Iterable[int], why: str) -> None:
        gone = sorted(set(numbers) - self.lost)
        self.lost.update(gone)
        if gone:
            self._say(f"{len(gone)} events are lost: {why}")

    def _say(self, words: str) -> None:
        if words not in self.verdicts:
            self.verdicts.append(words)
