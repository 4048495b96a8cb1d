"""Faults of one room as events for the centre: the one place where recording's words become topics."""

from __future__ import annotations

from agent.ports.event import Event, Priority, PropertyOperation
from agent.recording.fault import Fault, RecordingFault
from agent.recording.retention import Shortfall

LOST_PICTURES = "RecordingConfig/vigie:PicturesLost"
RECORDING_REFUSED = "RecordingConfig/vigie:RecordingRefused"
REGISTER_FAILURE = "Device/HardwareFailure/vigie:RegisterFailure"
RETENTION_TROUBLE = "RecordingConfig/vigie:RetentionTrouble"
RETENTION_SHORTFALL = "RecordingConfig/vigie:RetentionShortfall"
SIGNING_FAILURE = "vigie:Evidence/SigningFailure"
SIGNATURE_LOST = "vigie:Evidence/SignatureLost"
FORMER_STATES = (LOST_PICTURES,)
"""States of earlier versions, taken back: a topic is either a state or something that happens, never both."""
_TOPICS = {Fault.STORAGE: RECORDING_REFUSED, Fault.OVERFLOW: LOST_PICTURES, Fault.JOURNAL: REGISTER_FAILURE}


def of_recording(fault: RecordingFault, token: str) -> Event:
    """Pictures that did not reach the disk, or not with their signature, or a register that refuses.

    A failing disk itself is the board's event.

    Only a disk that refuses is a state, with an end that is told; the others happen, and nobody would ever take them back.
    """
    if fault.kind is Fault.SIGNATURE:
        return Event(SIGNATURE_LOST, fault.wall_ns, {"Token": token}, {"What": fault.what}, None, Priority.ALARM)
    topic = _TOPICS[fault.kind]
    operation = PropertyOperation.CHANGED if fault.kind is Fault.STORAGE else None
    data: dict[str, str | int | float | bool] = {"Failed": not fault.over, "What": fault.what}
    return Event(topic, fault.wall_ns, {"Token": token}, data, operation, Priority.ALARM)


def of_start(wall_ns: int, token: str) -> Event:
    """No picture is lost yet: takes back what a daemon that was killed in trouble left behind."""
    data: dict[str, str | int | float | bool] = {"Failed": False, "What": ""}
    return Event(RECORDING_REFUSED, wall_ns, {"Token": token}, data, PropertyOperation.INITIALIZED, Priority.ALARM)


def of_register(sentence: str, wall_ns: int, token: str) -> Event:
    """The register could not take an entry: no silent gap."""
    return Event(REGISTER_FAILURE, wall_ns, {"Token": token}, {"Failed": True, "What": sentence}, None, Priority.ALARM)


def of_sweep(trouble: str, wall_ns: int, token: str) -> Event:
    """Retention could not do all it should: too little is free, or something refuses to be destroyed."""
    return Event(RETENTION_TROUBLE, wall_ns, {"Token": token}, {"What": trouble}, None, Priority.ALARM)


def of_shortfall(shortfall: Shortfall | None, wall_ns: int, token: str) -> Event:
    """Footage goes before its day (or, with None, no more)."""
    data: dict[str, str | int | float | bool] = {"Short": shortfall is not None}
    if shortfall is not None:
        data |= {"Days": round(shortfall.days, 2), "WantedDays": shortfall.wanted_days}
    return Event(RETENTION_SHORTFALL, wall_ns, {"Token": token}, data, PropertyOperation.CHANGED, Priority.ALARM)


def of_signing(trouble: str, wall_ns: int, token: str) -> Event:
    """What is recorded from now on is not signed, and why; with an empty text, it is (again)."""
    data: dict[str, str | int | float | bool] = {"Failed": bool(trouble), "What": trouble}
    return Event(SIGNING_FAILURE, wall_ns, {"Token": token}, data, PropertyOperation.CHANGED, Priority.ALARM)
