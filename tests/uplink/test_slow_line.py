"""An alarm on a line of 64 kbit/s, with stills before it: it does not wait for them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from agent.ports.event import Event, Priority
from bench.mobile_line import broker_beyond
from bench.tun_line import LineQuality, tun_line
from tests.support.fault_scene import wait_until
from tests.support.parts import program, root
from tests.support.uplink_node import UplinkNode

pytestmark = pytest.mark.lane("root")

ALARMS = 40
STILL_BYTES = 25_000


def test_an_alarm_does_not_wait_for_stills(tmp_path: Path) -> None:
    """Forty alarms, each behind an event with 25 kB of picture: acknowledged within a second, but for those of the one still by
    which the line shows itself slow. Nothing is lost: what is held back waits."""
    root()
    program("ip", "iproute2")
    with tun_line(LineQuality(delay_s=0.05, kbit=64, queue_s=10)) as line, broker_beyond(line, tmp_path) as url:
        node = UplinkNode(tmp_path / "n", url, stall_s=20.0, connect_timeout_s=20.0, audience_s=0.0)
        node.start()
        wait_until(lambda: node.session.online and node.outbox.metrics().pending == 0)
        waited = []
        for number in range(ALARMS):
            event = Event("VideoSource/MotionAlarm", node.clock.wall_ns(), {}, {"Number": number}, priority=Priority.PROPERTY)
            node.outbox.raise_with_still(event, os.urandom(STILL_BYTES))
            began = time.monotonic()
            alarm = Event("Device/vigie:Test/Alarm", node.clock.wall_ns(), {}, {"Number": number}, priority=Priority.ALARM)
            sequence = node.outbox.raise_event_durably(alarm, 30)
            wait_until(lambda sequence=sequence: sequence in node.outbox._order.finished)  # type: ignore[misc]
            waited.append(time.monotonic() - began)
        held_back = node.outbox.metrics().pending
        node.stop()
    in_order = sorted(waited)
    assert in_order[round(0.95 * ALARMS) - 1] <= 1.0, in_order
    assert held_back >= ALARMS - 3
