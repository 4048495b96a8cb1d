"""A hub that falls behind: the broker takes everything from the node, and dies before the hub has read it."""

from __future__ import annotations

from tests.support.fault_broker import BrokerUnderFault
from tests.support.fault_process import FaultProcess
from tests.support.fault_scene import Scene, let_sessions_be_written, settled, wait_until
from tests.support.independent_hub import Subscriber, Verdict, judge

IN_HAND = 10
AWAY_S = 600


def slow_hub(scene: Scene) -> Verdict:
    """The broker is killed with what it had acknowledged and the hub had not read; it is back at once or ten minutes later."""
    with scene.broker() as broker, scene.hub(broker, in_hand=IN_HAND) as hub:
        with scene.node(*broker.urls) as node:
            for number in range(scene.rounds):
                _die_before_it_is_read(scene, broker, hub, node)
                if number % 2:
                    node.ask(f"skip {AWAY_S}", "skipped")
                    node.ask("raise 1", "raised")
                broker.start()
                settled(hub, node)
            node.stop()
        return judge(hub.heard, node.alarms)


def _die_before_it_is_read(scene: Scene, broker: BrokerUnderFault, hub: Subscriber, node: FaultProcess) -> None:
    before = node.ask("health", "health")["reconnects"]
    with hub.reading_nothing():
        node.ask("raise 40", "raised")
        wait_until(lambda: not node.ask("health", "health")["pending"])
        struck = scene.struck(node)
        if struck is None:
            let_sessions_be_written()
        broker.kill(struck)
    wait_until(lambda: node.ask("health", "health")["reconnects"] > before)
