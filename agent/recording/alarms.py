"""What goes wrong with recording and retention, as events for the hub: the one place where recording's words become topics."""

from __future__ import annotations

from typing import Final

from agent.base.topic import NUMBER, TRUTH, WORDS, Topic
from agent.journal.alarms import REGISTER_FAILURE
from agent.ports.event import Event, Priority, PropertyOperation
from agent.recording.fault import RecorderFault, RecordingFault
from agent.recording.retention import Shortfall

LOST_PICTURES = "RecordingConfig/vigie:PicturesLost"
RECORDING_REFUSED = "RecordingConfig/vigie:RecordingRefused"
RETENTION_TROUBLE = "RecordingConfig/vigie:RetentionTrouble"
RETENTION_SHORTFALL = "RecordingConfig/vigie:RetentionShortfall"
SIGNATURE_LOST = "vigie:Evidence/SignatureLost"
_FAULT: Final = {"Failed": TRUTH, "What": WORDS}
TOPICS: Final = (
    Topic(LOST_PICTURES, "The disk did not keep up for a moment.", _FAULT, state=False),
    Topic(RECORDING_REFUSED, "The disk refuses recordings.", _FAULT),
    Topic(
        RETENTION_SHORTFALL,
        "Footage goes before its day.",
        {"Short": TRUTH, "Days": NUMBER, "WantedDays": NUMBER},
        at_times=frozenset({"Days", "WantedDays"}),
    ),
    Topic(RETENTION_TROUBLE, "The sweep could not do all it should.", {"What": WORDS}, state=False),
    Topic(SIGNATURE_LOST, "A segment ended without its last signature.", {"What": WORDS}, state=False),
)
_BY_FAULT: Final = {
    RecorderFault.STORAGE: RECORDING_REFUSED,
    RecorderFault.OVERFLOW: LOST_PICTURES,
    RecorderFault.JOURNAL: REGISTER_FAILURE,
}


def of_recording(fault: RecordingFault, token: str) -> Event:
    """Frames that did not reach the disk, or not with their signature, or a register that refuses.

    A failing disk itself is the board's event.

    Only a disk that refuses is a state, with an end that is told; the others happen, and nobody would ever take them back.
    """
    if fault.kind is RecorderFault.SIGNATURE:
        return Event(SIGNATURE_LOST, fault.wall_ns, {"Token": token}, {"What": fault.what}, None, Priority.ALARM)
    topic = _BY_FAULT[fault.kind]
    operation = PropertyOperation.CHANGED if fault.kind is RecorderFault.STORAGE else None
    data: dict[str, str | int | float | bool] = {"Failed": not fault.over, "What": fault.what}
    return Event(topic, fault.wall_ns, {"Token": token}, data, operation, Priority.ALARM)


def of_start(wall_ns: int, token: str) -> Event:
    """No frame is lost yet: takes back what a daemon that was killed in the midst of a fault left behind."""
    data: dict[str, str | int | float | bool] = {"Failed": False, "What": ""}
    return Event(RECORDING_REFUSED, wall_ns, {"Token": token}, data, PropertyOperation.INITIALIZED, Priority.ALARM)


def of_sweep(fault: str, wall_ns: int, token: str) -> Event:
    """Retention could not do all it should: too little is free, or something refuses to be destroyed."""
    return Event(RETENTION_TROUBLE, wall_ns, {"Token": token}, {"What": fault}, None, Priority.ALARM)


def of_shortfall(shortfall: Shortfall | None, wall_ns: int, token: str) -> Event:
    """Footage goes before its day (or, with None, no more)."""
    data: dict[str, str | int | float | bool] = {"Short": shortfall is not None}
    if shortfall is not None:
        data |= {"Days": round(shortfall.days, 2), "WantedDays": shortfall.wanted_days}
    return Event(RETENTION_SHORTFALL, wall_ns, {"Token": token}, data, PropertyOperation.CHANGED, Priority.ALARM)
