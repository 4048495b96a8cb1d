"""Reads the board every few seconds, keeps the figures for health, and raises what the thresholds find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from agent.base.clock import Clock
from agent.base.component import Component
from agent.board.thresholds import BoardWatch
from agent.config.model import BoardLimits
from agent.ports.event import EventSink
from agent.ports.host import Board, BoardMetrics

EVERY_S: Final = 2.0


class BoardMonitor(Component):
    """Component `board`. `storage_fault` says what the recorder has against its disk, empty when it writes."""

    critical = False

    def __init__(
        self, board: Board, watch: BoardWatch, events: EventSink, clock: Clock, storage_fault: Callable[[], str]
    ) -> None:
        super().__init__("board", clock)
        self._watch = watch
        self.metrics = BoardMetrics()
        self._board = board
        self._events = events
        self._storage_fault = storage_fault

    def set_limits(self, limits: BoardLimits) -> None:
        """Judge the next reading by these; any thread."""
        self._watch.limits = limits

    def work(self) -> None:
        """Until stopped."""
        while not self.stopping.is_set():
            self.metrics = self._board.read()
            for event in self._watch.judge(self.metrics, self._storage_fault()):
                self._events.raise_event(event)
            self.progressed()
            self.clock.wait(self.stopping, EVERY_S)
