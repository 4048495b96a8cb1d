"""A town in small: a whole node that takes commands, its broker, its hub's key, a desk, and somebody who hears everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.base.errors import DeviceError
from agent.demo.broker import LocalBroker
from agent.operations.control_socket import ask
from tests.support.deadline import until
from tests.support.hub_key import Desk, HubKey
from tests.support.independent_hub import Subscriber
from tests.support.whole_node import WholeNode


@dataclass
class Town:
    """A node and its process, its hub's key, a desk to ask from, and somebody who hears everything."""

    node: WholeNode
    key: HubKey
    desk: Desk
    hub: Subscriber
    pid: int

    def health(self) -> dict[str, Any]:
        """Empty while the node does not answer."""
        try:
            return ask(self.node.directory / "state", "status")
        except DeviceError:
            return {}

    def ask(self, verb: str, role: str = "supervisor", **arguments: Any) -> dict[str, Any]:
        """Ask with a fresh token."""
        return self.desk.ask(verb, self.key.token(role=role), **arguments)

    def register(self) -> list[dict[str, Any]]:
        """What the register says of commands."""
        lines = (self.node.directory / "state" / "register.jsonl").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["act"] == "command"]


@contextmanager
def running_town(directory: Path, mqtt: str = "", motion: str = "") -> Iterator[Town]:
    """Start everything, wait for the masked picture, and end in order. `mqtt`, `motion`: further lines of these tables."""
    key = HubKey(directory / "hub.pem")
    with LocalBroker(directory / "broker") as broker:
        tables = {"mqtt": f'command_key_file = "{key.path}"\n{mqtt}', "motion": motion}
        node = WholeNode(directory, broker.url, tables=tables)
        node.write(realtime=True, loop=True)
        node.validate()
        hub = Subscriber(broker.port)
        desk = Desk(broker.port)
        process = node.start()
        town = Town(node, key, desk, hub, process.pid)
        try:
            until(lambda: town.health().get("uplink", {}).get("state") == "online", "the node is online")
            until(lambda: town.health().get("privacy", {}).get("state") == "masked", "the picture is masked")
            yield town
        finally:
            process.terminate()
            code = process.wait(30)
            desk.close()
            hub.close()
        assert code == 0
        assert "Traceback" not in node.log()
