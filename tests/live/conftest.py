"""A server of live pictures on loopback, with a signed stream and an honest house behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from agent.base.clock import Clock, SystemClock
from agent.ports.live import Secret
from hardware.live_rtsp.door import RtspDoor
from hardware.live_rtsp.server import RtspServer
from hardware.live_rtsp.settings import RtspSettings
from tests.support.deadline import until
from tests.support.live_feed import LiveFeed
from tests.support.small_gate import SmallGate


@dataclass
class LiveNode:
    """What a test of the sender needs of a node."""

    feed: LiveFeed
    gate: SmallGate
    door: RtspDoor

    @property
    def server(self) -> RtspServer:
        return self.door.server

    def url(self, secret: Secret, scheme: str = "rtsp") -> str:
        """With its credentials."""
        return self.door.urls(secret)[scheme]


def serve(feed: LiveFeed, *, host: str = "127.0.0.1", clock: Clock | None = None, udp: bool = True) -> LiveNode:
    """A server that listens, by TCP, TLS and UDP, on free ports."""
    gate = SmallGate(feed.broadcast)
    settings = RtspSettings(host, 0, 0, feed.identity.chain_path, feed.identity.key_path, udp=udp)
    node = LiveNode(feed, gate, RtspDoor(gate, settings, clock or SystemClock()))
    node.server.start()
    until(lambda: len(node.server.ports) == 2, "it listens")
    return node


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveFeed]:
    """Frames all the time, 25 a second, a keyframe every 10."""
    with LiveFeed(tmp_path_factory.mktemp("feed"), size="320x240", crf=23) as feed:
        yield feed


@pytest.fixture
def node(feed: LiveFeed) -> Iterator[LiveNode]:
    """For one test."""
    node = serve(feed)
    yield node
    node.server.stop()
    assert node.server.join(30)


@pytest.fixture(scope="module")
def shared(feed: LiveFeed) -> Iterator[LiveNode]:
    """For all examples of a module."""
    node = serve(feed)
    yield node
    node.server.stop()
    assert node.server.join(30)
