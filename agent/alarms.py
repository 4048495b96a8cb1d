"""Faults of one room as events for the centre: the one place where recording's words become ONVIF topics."""

from __future__ import annotations

from agent.events.event import Event, Priority, PropertyOperation
from agent.recording.recorder import Fault, RecordingFault

STORAGE_FAILURE = "Device/HardwareFailure/StorageFailure"
JOURNAL_FAILURE = "Device/HardwareFailure/vigie:RegisterFailure"


def of_recording(fault: RecordingFault, token: str) -> Event:
    """A storage or register fault that begins or has passed, as a property event."""
    topic = JOURNAL_FAILURE if fault.kind is Fault.JOURNAL else STORAGE_FAILURE
    return Event(
        topic,
        fault.wall_ns,
        {"Token": token, "Kind": fault.kind.value},
        {"Failed": not fault.over, "What": fault.what},
        PropertyOperation.CHANGED,
        Priority.ALARM,
    )


def of_journal(sentence: str, wall_ns: int, token: str) -> Event:
    """The register could not take an entry: no silent gap."""
    return Event(JOURNAL_FAILURE, wall_ns, {"Token": token}, {"Failed": True, "What": sentence}, None, Priority.ALARM)
