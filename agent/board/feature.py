"""The board as a feature: its figures in health, its limits as events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.feature import Feature, Setting
from agent.board import thresholds
from agent.board.monitor import BoardMonitor
from agent.board.thresholds import BoardWatch
from agent.config.model import Config
from agent.ports.event import EventSink
from agent.ports.health import BoardHealth
from agent.ports.host import Board


class BoardFeature(Feature[Config]):
    """`storage_fault`: what the recorder has against its disk, empty when it writes."""

    topics = thresholds.TOPICS
    keys = ("board",)

    def __init__(self, config: Config, board: Board, events: EventSink, clock: Clock, storage_fault: Callable[[], str]) -> None:
        self._monitor = BoardMonitor(board, BoardWatch(config.board, clock), events, clock, storage_fault)

    def components(self) -> Sequence[Component]:
        return (self._monitor,)

    def settings(self) -> Sequence[Setting[Config]]:
        return (Setting(("board",), "the board's next reading is judged by it", lambda new: self._monitor.set_limits(new.board)),)

    def health(self) -> Mapping[str, Any]:
        metrics = self._monitor.metrics
        return {
            "board": BoardHealth(
                temperature_c=metrics.temperature_c,
                throttled=metrics.throttled,
                undervoltage=metrics.undervoltage,
                load_1m=metrics.load_1m,
                rss_bytes=metrics.rss_bytes,
                more=dict(metrics.more),
            )
        }
