"""ONVIF as a feature: a door for clients that hold a lease, and, where it is switched on, a voice that says where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.base.clock import Clock
from agent.base.component import Component, ComponentState
from agent.base.feature import Feature
from agent.base.topic import Topic
from agent.config.model import Config
from agent.events.outbox import Outbox
from agent.ports.health import OnvifHealth
from agent.ports.live import Gate

if TYPE_CHECKING:
    from agent.onvif.assembly import OnvifParts, StillSource


class OnvifFeature(Feature[Config]):
    """See `open_onvif`. Nothing is heard, kept or even loaded while [onvif] is off."""

    keys = ("onvif",)

    def __init__(
        self,
        config: Config,
        gate: Gate,
        stream: StillSource,
        outbox: Outbox,
        topics: Callable[[], Sequence[Topic]],
        clock: Clock,
        *,
        version: str,
    ) -> None:
        self.parts: OnvifParts | None = None
        if config.onvif.enabled:
            from agent.onvif.assembly import open_onvif

            self.parts = open_onvif(config, gate, stream, outbox, topics, clock, version=version)

    def components(self) -> Sequence[Component]:
        return tuple(each for each in self.parts or () if each is not None)

    def health(self) -> Mapping[str, Any]:
        if self.parts is None:
            return {"onvif": OnvifHealth()}
        door, discovery = self.parts
        found = "off" if discovery is None else _fares(discovery)
        return {"onvif": OnvifHealth(state=_fares(door), pull_points=len(door.points), discovery=found)}


def _fares(component: Component) -> str:
    """In a word, or what is wrong in a sentence."""
    return component.state if component.state is ComponentState.RUNNING or not component.fault else component.fault
