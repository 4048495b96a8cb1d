"""Where a session stands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from agent.ports.health import Seen


class Phase(StrEnum):
    """The states of `agent.uplink.session_core`."""

    WAITING = "waiting"
    CONNECTING = "connecting"
    ONLINE = "online"
    LEAVING = "leaving"
    STOPPING = "stopping"
    FINISHED = "finished"


CONNECTED = (Phase.ONLINE, Phase.LEAVING, Phase.STOPPING)
SEEN_AS: Final[Mapping[Phase, Seen]] = {
    Phase.ONLINE: "online",
    Phase.LEAVING: "online",
    Phase.CONNECTING: "connecting",
    Phase.STOPPING: "stopping",
}
