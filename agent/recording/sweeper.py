"""The daemon's own sweep, every half minute, beside the timer's: a demo has no timer, and health must know what was found."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from agent.base.clock import Clock
from agent.base.component import Component
from agent.recording.retention import Retention, Shortfall, Sweep

_EVERY_S: Final = 30.0


class Sweeper(Component):
    """Component `retention`. `report` gets the shortfall at the first sweep (None: there is none), and whenever it begins, grows
    by an hour or ends."""

    critical = False

    def __init__(
        self,
        *,
        clock: Clock,
        retention: Retention,
        report: Callable[[Shortfall | None], None] = lambda _: None,
        alarm: Callable[[str], None] = lambda _: None,
        every_s: float = _EVERY_S,
    ) -> None:
        super().__init__("retention", clock)
        self._retention = retention
        self._report = report
        self._alarm = alarm
        self._every_s = every_s
        self._nudged = threading.Event()
        self._told: Shortfall | None = None
        self._has_told = False
        self._faults: frozenset[str] = frozenset()
        self.last: Sweep | None = None

    def replace(self, retention: Retention) -> None:
        """Go by this from the next sweep on, which comes at once; any thread."""
        self._retention = retention
        self._nudged.set()

    def wake(self) -> None:
        self._nudged.set()

    def work(self) -> None:
        while not self.stopping.is_set():
            self.last = sweep = self._retention.sweep()
            self._tell(sweep)
            self.progressed()
            self.clock.wait(self._nudged, self._every_s)
            self._nudged.clear()

    def _tell(self, sweep: Sweep) -> None:
        for fault in sorted(set(sweep.faults) - self._faults):
            self._alarm(fault)
        self._faults = frozenset(sweep.faults)
        now, told = sweep.shortfall, self._told
        changed = (now is None) != (told is None) or (now is not None and told is not None and abs(now.days - told.days) > 1 / 24)
        if changed or not self._has_told:
            self._told, self._has_told = now, True
            self._report(now)
