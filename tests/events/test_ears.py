"""Whoever listens at the outbox hears every event that the broker is to get, whichever way it was raised."""

from __future__ import annotations

from pathlib import Path

from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.ports.event import Event, PropertyOperation
from tests.support.manual_clock import ManualClock


def test_each_way_of_raising_is_heard_and_so_is_what_the_outbox_tells_of_itself(tmp_path: Path) -> None:
    """At once, durably, with a still; and the announcement of what was dropped."""
    clock = ManualClock()
    store = OutboxStore(tmp_path / "outbox.sqlite3", clock)
    outbox = Outbox(store, clock)
    heard: list[Event] = []
    outbox.ears.listen(heard.append)
    outbox.start()
    happened = Event("RecordingConfig/vigie:PicturesLost", clock.wall_ns(), {"Token": "pole-7"}, {"Failed": True, "What": "disk"})
    state = Event("VideoSource/MotionAlarm", clock.wall_ns(), {"Source": "pole-7"}, {"State": True}, PropertyOperation.CHANGED)
    outbox.raise_event(state)
    outbox.raise_with_still(state, b"jpeg")
    sequence = outbox.raise_event_durably(happened, 60)
    outbox.refuse(sequence, "the broker never takes it")
    outbox.announce_drops()
    outbox.stop()
    assert outbox.join(60)
    assert heard[:3] == [state, state, happened]
    assert [event.topic for event in heard[3:]] == ["Monitoring/vigie:EventsDropped"]
