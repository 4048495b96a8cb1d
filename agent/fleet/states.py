"""What stands at a node: its states as they were last told, and which of them are alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

_ALSO_HAPPENS = ("HardwareFailure/vigie:RegisterFailure", "RecordingConfig/vigie:PicturesLost")
"""Told with `Failed` true as mere happenings too, which nobody takes back: heard live, they are no state."""

_REASONS = ("What", "Reason")


def facts(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an event says is so; empty when it says nothing readable."""
    data = body.get("Data")
    return data if isinstance(data, dict) else {}


def is_alarm(properties: Mapping[str, str], body: Mapping[str, Any]) -> bool:
    """True for news of severity alarm. Earlier versions say neither: then an event of class alarm is one, unless it says of
    everything it names that it is not so, which is an all-clear."""
    if "severity" in properties:
        return properties["severity"] == "alarm" and properties.get("edge") in ("began", "happened")
    answers = [value for value in facts(body).values() if isinstance(value, bool)]
    return properties.get("class") == "alarm" and (any(answers) or not answers)


class _Told(Struct, frozen=True):
    epoch: str
    sequence: int
    words: str


class States:
    """The states of one node, by topic. A state stands when its class is alarm and it says of something that it is so."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    @property
    def standing(self) -> dict[str, str]:
        """The alarms that stand, each in words; by name (`SignalLoss`)."""
        found: dict[str, str] = {}
        for topic, told in sorted(self._told.items()):
            if told.words:
                name = _name(topic)
                found[name] = f"{found[name]}, {told.words}" if name in found else told.words
        return found

    def take(self, topic: str, properties: Mapping[str, str], body: Mapping[str, Any] | None, *, remembered: bool) -> bool:
        """Fold one message, `body` None where the state is deleted; whether an alarm has come to stand, or stands no more.

        `remembered` is what a broker retained or a node restated: that is a state for certain.
        """
        before = self._told.get(topic)
        epoch, sequence = properties.get("epoch", ""), int(properties.get("sequence", 0))
        if before is not None and before.epoch == epoch and sequence < before.sequence:
            return False  # alarms overtake what else waits
        stood = before is not None and bool(before.words)
        if body is None:
            self._told.pop(topic, None)
            return stood
        says_so = any(value is True for value in facts(body).values()) and properties.get("class") == "alarm"
        if says_so and not remembered and (properties.get("edge") == "happened" or any(name in topic for name in _ALSO_HAPPENS)):
            return False
        self._told[topic] = _Told(epoch, sequence, _words(topic, facts(body)) if says_so else "")
        return says_so != stood


def _words(topic: str, data: Mapping[str, Any]) -> str:
    reason = next((str(data[name]) for name in _REASONS if data.get(name)), "")
    return f"{_name(topic)}: {reason}" if reason else _name(topic)


def _name(topic: str) -> str:
    """`SignalLoss` of `VideoSource/SignalLoss/&front`: without the service that sees it and without what it is about."""
    return topic.partition("/&")[0].removesuffix("/ImagingService").rpartition("/")[2].removeprefix("vigie:")
