"""The technician's local page as a feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.feature import Feature
from agent.config.model import Config
from agent.console.feed import EventTap
from agent.console.preview import Preview
from agent.console.server import Console
from agent.journal.entry import Journal
from agent.operations.caller import ON_THE_PAGE
from agent.operations.desk import Desk
from agent.operations.local import ReadStatus


class ConsoleFeature(Feature[Config]):
    """What the page shows it asks of `desk`; `looks` is where each look at the picture is entered."""

    keys = ("console",)

    def __init__(self, config: Config, tap: EventTap, looks: Journal, desk: Desk, clock: Clock) -> None:
        page = config.console
        self.preview = Preview(clock, looks)
        self._components: tuple[Component, ...] = ()
        if page.enabled:

            def health() -> Mapping[str, Any]:
                found: Mapping[str, Any] = desk.do("status", ReadStatus(), ON_THE_PAGE)
                return found

            console = Console(
                page.host, page.port, clock, health=health, preview=self.preview, events=tap, language=config.node.language
            )
            self._components = (console,)

    def components(self) -> Sequence[Component]:
        return self._components
