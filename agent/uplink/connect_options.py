"""How a node introduces itself to a broker: the daemon and the doctor alike."""

from __future__ import annotations

from agent.ports.mqtt import ConnectOptions
from agent.uplink.limits import Limits
from agent.uplink.pace import Pace
from agent.uplink.presence import Identity


def connect_options(identity: Identity, limits: Limits, pace: Pace, wall_ns: int, *, clean_start: bool = False) -> ConnectOptions:
    """Asks for its old session unless `clean_start`; the will is as the broker can keep it."""
    will = limits.fitted(identity.status("offline", wall_ns)) if limits.will else None
    return ConnectOptions(
        identity.client_id,
        will,
        pace.will_delay_s,
        pace.keepalive_s,
        pace.session_expiry_s,
        pace.window,
        clean_start=clean_start,
    )
