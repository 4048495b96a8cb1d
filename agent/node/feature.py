"""The node itself as a feature: which configuration is in force, which components run, and the reload on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.base.clock import Clock
from agent.base.component import ComponentState
from agent.base.feature import Feature
from agent.config.load import load
from agent.config.model import Config
from agent.node.in_force import InForce
from agent.node.signals import Wishes
from agent.operations import payloads
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.ports.health import ClockHealth


class NodeFeature(Feature[Config]):
    """`states` are those of every component. `wishes` is read by the supervisor at its next beat."""

    keys = ("node",)

    def __init__(
        self,
        in_force: InForce,
        path: Path,
        wishes: Wishes,
        states: Callable[[], Mapping[str, ComponentState]],
        clock: Clock,
    ) -> None:
        self._in_force = in_force
        self._path = path
        self._wishes = wishes
        self._states = states
        self._clock = clock

    def health(self) -> Mapping[str, Any]:
        return {
            "config_digest": self._in_force.digest,
            "restart_needed": list(self._in_force.waiting),
            "config_trouble": self._in_force.fault,
            "clock": ClockHealth(quality=self._clock.quality()),
            "components": dict(self._states()),
        }

    def sentence(self) -> str:
        fault = self._in_force.fault
        return f"the new configuration is refused, and the former one is in force: {fault}" if fault else ""

    def operations(self) -> Sequence[Operation]:
        return (Operation(VERBS["reload"], self._reload),)

    def _reload(self, _asked: payloads.Reload, _by: object) -> payloads.Done:
        load(self._path)  # a file that would be refused is refused here, with its findings
        self._wishes.reload = True
        return payloads.Done()
