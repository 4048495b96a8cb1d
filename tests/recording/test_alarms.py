"""Which faults are states, that stand at the centre until they end, and which merely happen."""

from __future__ import annotations

import pytest

from agent.journal.alarms import of_register
from agent.ports.event import PropertyOperation
from agent.recording import alarms
from agent.recording.fault import RecorderFault, RecordingFault
from agent.signing.alarms import of_signing


@pytest.mark.parametrize("kind", [kind for kind in RecorderFault if kind is not RecorderFault.STORAGE])
def test_what_has_no_end_is_no_state(kind: RecorderFault) -> None:
    """The recorder never takes these back: retained, they would say for ever that pictures are being lost."""
    assert alarms.of_recording(RecordingFault(kind, "it happened", 1), "pole-7").operation is None


def test_a_disk_that_refuses_stands_until_it_takes_recordings_again() -> None:
    """One property: false at the start, whatever a killed daemon left behind, true while it lasts, false again."""
    told = [
        alarms.of_start(1, "pole-7"),
        alarms.of_recording(RecordingFault(RecorderFault.STORAGE, "the disk is full", 2), "pole-7"),
        alarms.of_recording(RecordingFault(RecorderFault.STORAGE, "the disk takes recordings again", 3, over=True), "pole-7"),
    ]
    assert [event.data["Failed"] for event in told] == [False, True, False]
    assert {(event.topic, *event.source.values()) for event in told} == {(alarms.RECORDING_REFUSED, "pole-7")}
    assert [event.operation for event in told] == [
        PropertyOperation.INITIALIZED,
        PropertyOperation.CHANGED,
        PropertyOperation.CHANGED,
    ]


def test_no_topic_is_a_state_and_happens() -> None:
    """A hub that has seen one message of a topic knows which of the two it is."""
    told = [alarms.of_recording(RecordingFault(kind, "so", 1), "pole-7") for kind in RecorderFault]
    told += [
        alarms.of_start(1, "t"),
        of_register("r", 1, "t"),
        alarms.of_sweep("s", 1, "t"),
        of_signing("s", 1, "t"),
    ]
    kinds = {(event.topic, event.operation is None) for event in told}
    assert len(kinds) == len({topic for topic, _ in kinds})


def test_a_lost_signature_is_told_and_stands_nowhere() -> None:
    """It says of nothing that it is so: a centre would show it for ever."""
    event = alarms.of_recording(RecordingFault(RecorderFault.SIGNATURE, "the last pictures carry none", 1), "pole-7")
    assert (event.topic, event.data) == (alarms.SIGNATURE_LOST, {"What": "the last pictures carry none"})
