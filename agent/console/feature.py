"""The technician's local page as a feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.feature import Feature
from agent.config.model import Config
from agent.console.feed import EventTap
from agent.console.preview import Preview
from agent.console.server import Console
from agent.journal.entry import Journal


class ConsoleFeature(Feature[Config]):
    """`health` gives the document the page shows, and `looks` is where each look is entered."""

    keys = ("console",)

    def __init__(
        self, config: Config, tap: EventTap, looks: Journal, health: Callable[[], Mapping[str, Any]], clock: Clock
    ) -> None:
        page = config.console
        self.preview = Preview(clock, looks)
        self._components: tuple[Component, ...] = ()
        if page.enabled:
            self._components = (Console(page.host, page.port, clock, health=health, preview=self.preview, events=tap),)

    def components(self) -> Sequence[Component]:
        return self._components
