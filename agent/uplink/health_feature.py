"""Health as a feature: one document of what every feature says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.feature import Feature, Setting, Taken
from agent.config.model import Config
from agent.operations import payloads
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.uplink.health import HealthPublisher
from agent.uplink.rhythm import health_seconds


class HealthFeature(Feature[Config]):
    """`parts` asks every feature; `publish` sends a document to the hub."""

    keys = ("mqtt.health_seconds",)

    def __init__(
        self,
        config: Config,
        clock: Clock,
        *,
        version: str,
        boot: str,
        parts: Callable[[], Mapping[str, Any]],
        publish: Callable[[bytes], None],
    ) -> None:
        self._boot = boot
        self.publisher = HealthPublisher(config.node.id, version, clock, parts, publish, health_seconds(config))

    def components(self) -> Sequence[Component]:
        return (self.publisher,)

    def settings(self) -> Sequence[Setting[Config]]:
        def take(new: Config) -> None:
            self.publisher.set_interval(health_seconds(new))

        return (Setting(self.keys, "the next health message goes by it", take),)

    def take(self, old: Config, new: Config, changed: frozenset[str]) -> Taken:
        """What the centre asked for meanwhile lasts until a reload, changed file or not."""
        self.publisher.set_interval(health_seconds(new))
        return super().take(old, new, changed)

    def operations(self) -> Sequence[Operation]:
        return (
            Operation(VERBS["ping"], self._ping),
            Operation(VERBS["set-health-interval"], self._set_interval),
            Operation(VERBS["status"], lambda _asked, _by: self.publisher.document()),
        )

    def _ping(self, _asked: payloads.Ping, _by: object) -> payloads.Pong:
        health = self.publisher.sample()
        return payloads.Pong(
            version=health.version, boot_id=self._boot, uptime_s=health.uptime_s, clock_quality=health.clock.quality
        )

    def _set_interval(self, asked: payloads.SetHealthInterval, _by: object) -> payloads.Interval:
        self.publisher.set_interval(asked.seconds)
        return payloads.Interval(seconds=asked.seconds)
