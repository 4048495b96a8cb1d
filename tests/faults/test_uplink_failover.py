"""Two brokers in order of preference."""

from __future__ import annotations

import os
from pathlib import Path

from agent.demo.broker import LocalBroker
from tests.support.fault_broker import SETTINGS
from tests.support.fault_process import FaultProcess
from tests.support.fault_scene import settled, wait_until
from tests.support.independent_hub import Subscriber, judge


def test_fail_over_and_back(tmp_path: Path) -> None:
    """The preferred broker dies: the second takes over. It comes back: the node returns, and its will tells the second's hub.

    Nothing is lost on the way.
    """
    with LocalBroker(tmp_path / "a", settings=SETTINGS) as first, LocalBroker(tmp_path / "b", settings=SETTINGS) as second:
        hub_a, hub_b = Subscriber(first.port), Subscriber(second.port)
        settings = {
            "directory": str(tmp_path / "node"),
            "urls": [first.url, second.url],
            "pace": {"fail_back_s": 1.0, "will_delay_s": 1},
        }
        with FaultProcess(settings) as node:
            node.ask("raise 20", "raised")
            settled(hub_a, node)
            first.kill()
            node.ask("raise 20", "raised")
            wait_until(lambda: node.ask("health", "health")["broker"] == second.url)
            settled(hub_b, node)
            first.start()
            wait_until(lambda: node.ask("health", "health")["broker"] == first.url)
            wait_until(lambda: node.ask("health", "health")["state"] == "online")
            settled(hub_a, node)
            node.stop()
        hub_b.wait_for(lambda all_heard: b'"offline"' in [h.payload for h in all_heard if h.topic.endswith("/status")][-1], 30)
        for hub in (hub_a, hub_b):
            hub.close()
    heard = sorted([*hub_a.heard, *hub_b.heard], key=lambda one: one.at_ns)
    assert judge(heard, node.alarms).sound, os.linesep.join(map(str, heard[-5:]))
