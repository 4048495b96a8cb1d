"""Where a session stands."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """The states of `agent.uplink.session_core`."""

    WAITING = "waiting"
    CONNECTING = "connecting"
    ONLINE = "online"
    LEAVING = "leaving"
    STOPPING = "stopping"
    FINISHED = "finished"


CONNECTED = (Phase.ONLINE, Phase.LEAVING, Phase.STOPPING)
SEEN_AS = {Phase.ONLINE: "online", Phase.LEAVING: "online", Phase.CONNECTING: "connecting", Phase.STOPPING: "stopping"}
