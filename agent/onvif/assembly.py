"""ONVIF's parts put together. Imported where [onvif] is on: a node without it does not load what it never needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from agent.base.clock import Clock
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
from agent.ports.live import Gate
from agent.stream.snapshot import Still


class StillSource(Protocol):
    """Whoever makes a masked picture of the next frame."""

    def take_still(self, width: int, most_bytes: int) -> Still: ...


class OnvifParts(NamedTuple):
    """What runs for it."""

    door: OnvifDoor
    discovery: OnvifDiscovery | None


def open_onvif(
    config: Config,
    gate: Gate,
    stream: StillSource,
    outbox: Outbox,
    topics: Callable[[], Sequence[Topic]],
    clock: Clock,
    *,
    version: str,
) -> OnvifParts:
    """Nothing listens yet; events are heard from now on. `topics`: what the node tells in this configuration."""
    onvif, node = config.onvif, NodeWords(config.node.id, config.node.site, version)
    states = StandingStates(outbox.standing())
    points = PullPoints(gate, states.all, clock)

    def hear(event: Event) -> None:
        states.hear(event)
        points.tell(event)

    outbox.ears.listen(hear)
    words = _stream_words(config, gate)
    device = DeviceService(node, clock)
    device.others = (device, MediaService(words), Media2Service(words), EventService(points, topics, clock))
    services = OnvifServices(*device.others, SubscriptionService(points, clock))
    at, snapshots = (onvif.host, onvif.port), words.ports.snapshots
    door = OnvifDoor(at, gate, services, points, clock, take=stream.take_still, snapshots=snapshots)
    return OnvifParts(door, OnvifDiscovery(node, onvif.host, door, clock) if onvif.discovery else None)


def _stream_words(config: Config, gate: Gate) -> StreamWords:
    """A snapshot goes by HTTP: where RTSP in the clear is off, it leaves this machine no more than that does."""
    live, camera = config.live, config.camera
    ports = StreamPorts(live.rtsp_port, live.rtsps_port, snapshots=bool(live.rtsp_port) or is_loopback(config.onvif.host))
    expected = VideoFormat("h264", camera.width, camera.height, camera.fps, b"")
    return StreamWords(config.node.id, ports, config.encoding, lambda lease: gate.format_of(lease) or gate.format, expected)
