"""One node as a whole: runs its features until the end, and says what was done."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.base.clock import Clock
from agent.base.component import ComponentState
from agent.base.lock_file import FileLock
from agent.node.house import House
from agent.node.in_force import InForce
from agent.node.reload import NodeReload
from agent.node.signals import Wishes
from agent.node.supervisor import Ending, Supervisor
from agent.stream.feature import StreamFeature

log = logging.getLogger(__name__)

_SETTLING_S = 0.0, 1.0, 9.0
"""After the first picture, and each after the one before: the view is proved and the mask laid out by the second of these
times, the centre reached and the first signatures made by the third. Nothing that happens once happens later."""


class Node:
    """Main thread: `run`. `summary`: any thread. All its parts are there before it is.

    `lock`: that no other daemon runs on this state directory; given back after the last component stopped. `when_under_way` is
    called with the first masked frame encoded, and twice more while all settles.
    """

    def __init__(
        self,
        house: House,
        in_force: InForce,
        supervisor: Supervisor,
        reload: NodeReload,
        lock: FileLock,
        clock: Clock,
        when_under_way: Callable[[], None] = lambda: None,
    ) -> None:
        self.house = house
        self.in_force = in_force
        self.supervisor = supervisor
        self.lock = lock
        self._reload = reload
        self._clock = clock
        self._when_under_way = when_under_way
        self._pipeline = house.find(StreamFeature).pipeline
        self._first_masked_s: float | None = None
        self._ended = threading.Event()
        self._watching_start = threading.Thread(target=self._note_start, name="main", daemon=True)

    def run(self, *, for_s: float | None = None, signals: Wishes | None = None) -> Ending:
        """Start everything, until the end; see Supervisor.run."""
        self._watching_start.start()
        try:
            return self.supervisor.run(for_s=for_s, reload=self._reload.apply, signals=signals)
        finally:
            self._ended.set()
            self.lock.give_back()

    def summary(self) -> dict[str, Any]:
        """What was done since the start."""
        node_id = self.in_force.begun_with.node.id
        return {"node": node_id, "first_masked_s": self._first_masked_s, **self.house.summary()}

    def _note_start(self) -> None:
        while not self._pipeline.first_encoded.wait(1.0):
            if self._pipeline.state in (ComponentState.STOPPED, ComponentState.FAILED):
                return
        self._first_masked_s = round(_since_process_start_s(), 3)
        log.info("the first masked picture is encoded, %.2f s after the start", self._first_masked_s)
        for wait_s in _SETTLING_S:
            if not self._clock.wait(self._ended, wait_s):
                self._when_under_way()


def _since_process_start_s() -> float:
    """Seconds since the kernel made this process: what a user waits, imports included."""
    started_ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")
