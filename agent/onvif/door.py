"""ONVIF's port. Listens from the start; the web server is imported when the first client comes."""

from __future__ import annotations

import logging
import select
import socket
from collections.abc import Callable
from typing import Final

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.base.system_words import system_words
from agent.onvif.pull_points import PullPoints
from agent.onvif.service import OnvifServices
from agent.ports.live import Gate
from agent.stream.snapshot import Still

log = logging.getLogger(__name__)

SNAPSHOT_PX: Final = 1280
SNAPSHOT_BYTES: Final = 200_000


class OnvifDoor(Component):
    """Not critical: the node records without it. `take` makes the next masked picture, so wide and so long at most.

    `since_ns`: when it began to listen, by the wall clock; nothing that was proved before counts.
    """

    critical = False

    def __init__(
        self,
        address: tuple[str, int],
        gate: Gate,
        services: OnvifServices,
        points: PullPoints,
        clock: Clock,
        *,
        take: Callable[[int, int], Still],
        snapshots: bool,
    ) -> None:
        super().__init__("onvif", clock)
        self.gate = gate
        self.services = services
        self.points = points
        self.snapshots = snapshots
        self.port = address[1]
        self.since_ns = 0
        self._host = address[0]
        self._take = take

    def take_still(self) -> Still:
        """See OnvifHost."""
        return self._take(SNAPSHOT_PX, SNAPSHOT_BYTES)

    def work(self) -> None:
        """Wait for the first client, then serve until stopped."""
        host = self._host
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, self.port), family=family, dualstack_ipv6=host == "::")
        except OSError as error:
            raise DeviceError(
                say(
                    "ONVIF cannot be offered at {host}:{port}: {why}", host=host, port=self.port, why=system_words(error.strerror)
                ),
                remedy=say("Another program has the port, or the address is not this machine's: see [onvif] host and port"),
            ) from error
        with listener:
            self.since_ns = self.clock.wall_ns()
            self.port = listener.getsockname()[1]
            shown = f"[{host}]" if ":" in host else host
            log.info("ONVIF for whoever holds a lease: http://%s:%d/onvif/device_service", shown, self.port)
            self.progressed()
            while not self.stopping.is_set():
                self.progressed()
                if select.select([listener], [], [], 0.25)[0]:
                    from agent.onvif.soap_server import SoapServer

                    SoapServer(self).serve(listener)
