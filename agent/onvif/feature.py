"""ONVIF as a feature: a door for clients that hold a lease, and, where it is switched on, a voice that says where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from agent.base.clock import Clock
from agent.base.component import Component, ComponentState
from agent.base.feature import Feature
from agent.base.topic import Topic
from agent.config.address import is_loopback
from agent.config.model import Config
from agent.events.outbox import Outbox
from agent.onvif.device_service import DeviceService, NodeWords
from agent.onvif.discovery import OnvifDiscovery
from agent.onvif.door import OnvifDoor
from agent.onvif.event_service import EventService, SubscriptionService
from agent.onvif.media2_service import Media2Service
from agent.onvif.media_service import MediaService
from agent.onvif.pull_points import PullPoints
from agent.onvif.service import OnvifServices
from agent.onvif.standing_states import StandingStates
from agent.onvif.stream_words import StreamPorts, StreamWords
from agent.picture.access_unit import VideoFormat
from agent.ports.event import Event
from agent.ports.health import OnvifHealth
from agent.ports.live import Gate
from agent.stream.snapshot import Still


class StillSource(Protocol):
    """Whoever makes a masked picture of the next frame."""

    def take_still(self, width: int, most_bytes: int) -> Still: ...


class OnvifFeature(Feature[Config]):
    """`topics`: what the node tells in this configuration. Nothing is heard or kept while [onvif] is off."""

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
        self._door: OnvifDoor | None = None
        self._discovery: OnvifDiscovery | None = None
        if not config.onvif.enabled:
            return
        onvif, node = config.onvif, NodeWords(config.node.id, config.node.site, version)
        states = StandingStates(outbox.standing())
        points = PullPoints(gate, states.all, clock)

        def hear(event: Event) -> None:
            states.hear(event)
            points.tell(event)

        outbox.ears.listen(hear)
        words = _stream_words(config, gate)
        device = DeviceService(node, clock)
        media, media2, events = MediaService(words), Media2Service(words), EventService(points, topics, clock)
        device.others = (device, media, media2, events)
        services = OnvifServices(*device.others, SubscriptionService(points, clock))
        at = onvif.host, onvif.port
        self._door = OnvifDoor(at, gate, services, points, clock, take=stream.take_still, snapshots=words.ports.snapshots)
        if onvif.discovery:
            self._discovery = OnvifDiscovery(node, onvif.host, self._door, clock)

    def components(self) -> Sequence[Component]:
        return tuple(each for each in (self._door, self._discovery) if each is not None)

    def health(self) -> Mapping[str, Any]:
        door, discovery = self._door, self._discovery
        if door is None:
            return {"onvif": OnvifHealth()}
        found = "off" if discovery is None else _fares(discovery)
        return {"onvif": OnvifHealth(state=_fares(door), pull_points=len(door.points), discovery=found)}


def _fares(component: Component) -> str:
    """In a word, or what is wrong in a sentence."""
    return component.state if component.state is ComponentState.RUNNING or not component.fault else component.fault


def _stream_words(config: Config, gate: Gate) -> StreamWords:
    """A snapshot goes by HTTP: where RTSP in the clear is off, it leaves this machine no more than that does."""
    live, camera = config.live, config.camera
    ports = StreamPorts(live.rtsp_port, live.rtsps_port, snapshots=bool(live.rtsp_port) or is_loopback(config.onvif.host))
    expected = VideoFormat("h264", camera.width, camera.height, camera.fps, b"")
    return StreamWords(config.node.id, ports, config.encoding, lambda: gate.format, expected)
