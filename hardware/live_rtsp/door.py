"""RTSP and RTSPS as a way of looking in: what runs, and the addresses a lease is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.own_address import reached_at
from agent.ports.live import STREAM_PATH, Gate, Secret, Way
from hardware.live_rtsp.server import RtspServer
from hardware.live_rtsp.settings import RtspSettings


class RtspDoor:
    """See LiveDoor. Viewers come by themselves: an opened lease needs nothing."""

    way: Final = Way.RTSP

    def __init__(self, gate: Gate, settings: RtspSettings, clock: Clock) -> None:
        self.settings = settings
        self.server = RtspServer(gate, settings, clock)

    def components(self) -> Sequence[Component]:
        return (self.server,)

    def urls(self, secret: Secret) -> Mapping[str, str]:
        """With the ports that are listened at, or those that are meant to be."""
        host = reached_at(self.settings.host)
        shown = f"[{host}]" if ":" in host else host
        login = f"{quote(secret.lease, safe='')}:{quote(secret.password, safe='')}"
        meant = {"rtsp": self.settings.rtsp_port, "rtsps": self.settings.rtsps_port}
        ports = {scheme: self.server.ports.get(scheme, port) for scheme, port in meant.items() if port is not None}
        return {scheme: f"{scheme}://{login}@{shown}:{port}{STREAM_PATH}" for scheme, port in ports.items()}

    @property
    def state(self) -> str:
        return self.server.fault or self.server.state

    def opened(self, lease: str) -> None:
        """Viewers come by themselves."""
