"""Who speaks to the broker."""

from __future__ import annotations

import json

from msgspec import Struct

from agent.base.clock import rfc3339
from agent.ports.mqtt import Publication
from agent.uplink.topics import NodeTopics


class Identity(Struct, frozen=True):
    """The node, and this run of it."""

    node_id: str
    prefix: str
    version: str
    boot_id: str
    discovery: str = "homeassistant"

    @property
    def topics(self) -> NodeTopics:
        """Where it speaks."""
        return NodeTopics(self.prefix, self.node_id, self.discovery)

    @property
    def client_id(self) -> str:
        """Stable across restarts, so that the broker keeps the session."""
        return f"{self.prefix.replace('/', '-')}-{self.node_id}"

    def status(self, state: str, wall_ns: int) -> Publication:
        """The birth message, the will or a goodbye: retained, so that a late hub knows as well."""
        document = {"state": state, "since": rfc3339(wall_ns), "version": self.version, "boot_id": self.boot_id}
        return Publication(self.topics.status, json.dumps(document).encode(), 1, True, content_type="application/json")
