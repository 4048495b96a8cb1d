"""How often a node speaks, by what it is: one on fibre may chatter, one that pays for each byte may not."""

from __future__ import annotations

from typing import Final

from agent.config.model import Config
from agent.uplink.pace import Pace

_HEALTH_S: Final = {"fixed": 10.0, "nomadic": 300.0}
_KEEPALIVE_S: Final = {"fixed": 15, "nomadic": 240}
"""Mobile networks forget a quiet line, of those that were measured after 270 s."""


def health_seconds(config: Config) -> float:
    """Between two health messages that tell nothing new."""
    asked = config.mqtt.health_seconds if config.mqtt is not None else None
    return _HEALTH_S[config.node.role] if asked is None else asked


def pace_of(config: Config) -> Pace:
    """How a node of this configuration keeps its line. A nomadic one says less, and seldom who it is."""
    asked = config.mqtt.keepalive_seconds if config.mqtt is not None else None
    keepalive_s = _KEEPALIVE_S[config.node.role] if asked is None else asked
    if config.node.role == "fixed":
        return Pace(keepalive_s=keepalive_s)
    return Pace(keepalive_s=keepalive_s, birth_again_most_s=3600.0, health_most_bytes=1200)
