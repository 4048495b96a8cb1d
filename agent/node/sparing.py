"""What a rung switches, and in which feature. None of it touches masks, guard, signing, register or retention."""

from __future__ import annotations

from collections.abc import Callable

from agent.config.model import Config
from agent.live.feature import LiveFeature
from agent.node.frame_path import FramePath
from agent.node.last_minute import LastMinute
from agent.nomad.feature import NomadFeature
from agent.sensors.ladder import Savings
from agent.uplink.health_feature import HealthFeature


def spare_all(
    config: Config,
    health: HealthFeature,
    path: FramePath,
    live: Callable[[], LiveFeature],
    nomad: NomadFeature,
    last_minute: LastMinute,
    savings: Savings,
) -> None:
    """Do without what battery or data plan can no longer pay for; sensors' thread. `live` is made later than its sensors."""
    health.publisher.spare(savings.health_s)
    path.analytics.spare(savings.stills)
    path.camera.capture.spare(config.nomad.least_fps if savings.legal_fps else 0.0)
    live().spare(savings.looking)
    nomad.spare(savings.rests)
    last_minute.empty(savings.ends)
