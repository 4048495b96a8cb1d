"""Each event of docs/events.md as a schema: what its source and its data are, and whether the broker keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field

Schema = dict[str, Any]

_SO: Final[Schema] = {"type": "boolean"}
_WORDS: Final[Schema] = {"type": "string"}
_NUMBER: Final[Schema] = {"type": "number"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_AT: Final[Schema] = {"type": "string", "format": "date-time"}
_FAULT: Final = {"Failed": _SO, "What": _WORDS}
_SPAN: Final = {"From": _AT, "To": _AT, "By": _WORDS, "Command": _WORDS}
_STATE: Final = {"State": _SO}


class Told(Struct, frozen=True):
    """One event. `source` names what it is about, in the order of the topic; of `data` what is in `at_times` may be left out."""

    topic: str
    words: str
    data: Mapping[str, Schema]
    source: tuple[str, ...] = ("Token",)
    state: bool = True
    at_times: frozenset[str] = field(default_factory=frozenset)

    @property
    def name(self) -> str:
        """`SignalLoss`: unique among the events."""
        return self.topic.removesuffix("/ImagingService").rpartition("/")[2].removeprefix("vigie:")

    @property
    def schema_name(self) -> str:
        """Apart from the command of that name."""
        return f"{self.name}Event"

    @property
    def address(self) -> str:
        """Below the node's `onvif-ej/`, with a parameter for each value of its source."""
        return self.topic + ("/&" + "/".join(f"{{{name.lower()}}}" for name in self.source) if self.source else "")

    def schema(self) -> Schema:
        """Of the payload."""
        body = {"UtcTime": _AT, "Source": _record(dict.fromkeys(self.source, _WORDS)), "Data": _record(self.data, self.at_times)}
        return {"title": self.name, "description": self.words, **_record(body)}


def _record(properties: Mapping[str, Schema], at_times: frozenset[str] = frozenset()) -> Schema:
    required = [name for name in properties if name not in at_times]
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**found, "required": required} if required else found


def _picture(topic: str, words: str) -> Told:
    return Told(f"VideoSource/{topic}", words, _STATE, ("Source",))


EVENTS: Final[tuple[Told, ...]] = (
    _picture("MotionAlarm", "Something moves."),
    _picture("ImageTooDark/ImagingService", "The picture is too dark to see anything."),
    _picture("ImageTooBright/ImagingService", "The picture is too bright to see anything."),
    _picture("ImageTooBlurry/ImagingService", "The picture is out of focus."),
    _picture("SignalLoss", "No pictures come."),
    _picture("GlobalSceneChange/ImagingService", "The camera looks elsewhere."),
    _picture("vigie:PictureFrozen", "The camera sends one picture again and again."),
    Told(
        "VideoSource/vigie:PrivacyMask",
        "Whether the picture is masked or closed.",
        {"State": {"enum": ["masked", "opaque"], "type": "string"}, "Reason": _WORDS},
        ("Source",),
    ),
    Told("RecordingConfig/vigie:PicturesLost", "The disk did not keep up for a moment.", _FAULT, state=False),
    Told("RecordingConfig/vigie:RecordingRefused", "The disk refuses recordings.", _FAULT),
    Told(
        "RecordingConfig/vigie:RetentionShortfall",
        "Footage goes before its day.",
        {"Short": _SO, "Days": _NUMBER, "WantedDays": _NUMBER},
        at_times=frozenset({"Days", "WantedDays"}),
    ),
    Told("RecordingConfig/vigie:RetentionTrouble", "The sweep could not do all it should.", {"What": _WORDS}, state=False),
    Told(
        "RecordingConfig/vigie:Bookmark",
        "An incident of the centre.",
        {"Incident": _WORDS, "Note": _WORDS, **_SPAN},
        state=False,
    ),
    Told(
        "RecordingConfig/vigie:ExportRequested",
        "Somebody shall export this span.",
        {"Reference": _WORDS, **_SPAN},
        state=False,
    ),
    Told("vigie:Evidence/SigningFailure", "What is recorded is not signed.", _FAULT),
    Told("vigie:Evidence/SignatureLost", "A segment ended without its last signature.", {"What": _WORDS}, state=False),
    Told(
        "Device/HardwareFailure/TemperatureCritical",
        "The board is too hot.",
        {"Critical": _SO, "Celsius": _NUMBER},
        (),
        at_times=frozenset({"Celsius"}),
    ),
    Told(
        "Device/HardwareFailure/StorageFailure",
        "The storage fails, or is about to.",
        {"Failed": _SO, "Reason": _WORDS},
        at_times=frozenset({"Reason"}),
    ),
    Told("Device/HardwareFailure/vigie:Undervoltage", "The board gets too little power.", {"Low": _SO}),
    Told("Device/HardwareFailure/vigie:RegisterFailure", "The register could not take an entry.", _FAULT, state=False),
    Told("Device/vigie:Throttled", "The board is slowed down.", {"Throttled": _SO}),
    Told(
        "Monitoring/vigie:OutboxEpoch",
        "A new count of events begins, and why; see docs/hub/missed.md.",
        {"PreviousEpoch": _WORDS, "LastKnownSequence": _COUNT, "UsedUpTo": _COUNT, "FirstSequence": _COUNT, "Reason": _WORDS},
        ("Epoch",),
        state=False,
    ),
    Told(
        "Monitoring/vigie:EventsDropped",
        "So many events of a class, none below First and none above Last, will never come.",
        {"Count": _COUNT, "First": _COUNT, "Last": _COUNT},
        ("Class", "Reason"),
        state=False,
    ),
    Told(
        "Monitoring/vigie:EventsSetAside",
        "The broker does not take this topic for now.",
        {"Topic": _WORDS, "Reason": _WORDS, "First": _COUNT},
        (),
        state=False,
    ),
)


def schemas() -> Iterator[tuple[str, Schema]]:
    """Each event's schema under its name."""
    for told in EVENTS:
        yield told.schema_name, told.schema()
