"""The journal's lines about the connection: one when the broker is out of reach, one when it is there again, none between."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.ports.health import UplinkHealth
from agent.uplink.phase import Phase

log = logging.getLogger(__name__)


class LineLog:
    """One thread. Attempts that come to nothing change nothing: a night without a broker is one line, not thousands."""

    def __init__(self) -> None:
        self._told: Phase | None = None

    def tell(self, phase: Phase, health: Callable[[], UplinkHealth]) -> None:
        """Call after every turn of the session; `health` is asked only when there is something to tell."""
        if phase is self._told or phase not in (Phase.ONLINE, Phase.WAITING):
            return
        self._told = phase
        if phase is Phase.ONLINE:
            log.info("online at %s", health().broker)
        else:
            log.warning(
                "the broker is out of reach: %s; events wait in the outbox. `vigie doctor` tells what is wrong", health().reason
            )
