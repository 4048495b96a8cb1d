"""A real broker, and nodes that speak to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.broker import LocalBroker
from tests.support.independent_hub import Subscriber
from tests.support.uplink_node import UplinkNode


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A mosquitto on loopback."""
    with LocalBroker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def hub(broker: LocalBroker) -> Iterator[Subscriber]:
    """An independent subscriber to everything."""
    subscriber = Subscriber(broker.port)
    yield subscriber
    subscriber.close()


@pytest.fixture
def node(broker: LocalBroker, tmp_path: Path) -> Iterator[UplinkNode]:
    """A running node that reports to the broker."""
    running = UplinkNode(tmp_path / "node", broker.url)
    running.start()
    yield running
    running.stop()
