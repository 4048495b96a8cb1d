"""The node as a whole: it can say how it fares whatever its disk does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.base.clock import NS
from agent.config.load import load
from agent.node.node import Node
from agent.node.wiring import build
from agent.recording.feature import RecordingFeature
from agent.stream.feature import StreamFeature
from agent.uplink.health_feature import HealthFeature
from tests.support.turned_clock import TurnedClock
from tests.support.whole_node import WholeNode


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node put together of its real parts, none of which runs yet."""
    path = WholeNode(tmp_path).write()
    made = build(load(path), path)
    yield made
    made.lock.give_back()
    made.house.find(RecordingFeature).catalog.close()


def health(node: Node) -> dict[str, Any]:
    """As `vigie status` shows it."""
    return node.house.find(HealthFeature).publisher.document()


def test_a_catalog_that_cannot_be_read_silences_nobody(node: Node) -> None:
    """Pages gone bad under a running node: health and the status line say that recording fails; the rest is told as ever."""
    catalog = node.house.find(RecordingFeature).catalog
    catalog._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    catalog._db.execute("PRAGMA shrink_memory")
    with catalog.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (catalog.path.stat().st_size - 4096))
    assert health(node)["recording"]["state"] == "failing"
    assert "recording failing" in node.house.sentence()
    assert health(node)["node"] == "pole-7"


def test_a_disk_that_cannot_be_measured_silences_nobody(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recordings' disk answers with an input/output error: no room is told, and everything else."""

    def fails(path: object) -> os.statvfs_result:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "statvfs", fails)
    assert health(node)["disk"] == {"free_bytes": 0, "total_bytes": 0}


def test_what_starting_needed_is_given_back_with_the_first_picture_and_twice_while_all_settles(node: Node) -> None:
    """At once, a second later and ten seconds later; no more once the node has ended."""
    clock = TurnedClock()
    house = node.house
    house.find(StreamFeature).pipeline.first_encoded.set()
    began_ns, given_back_s = clock.now_ns, list[float]()

    def give_back() -> None:
        given_back_s.append((clock.now_ns - began_ns) / NS)
        if len(given_back_s) == 4:
            node._ended.set()

    node = Node(house, node.in_force, node.supervisor, node._reload, node.lock, clock, give_back)
    node._note_start()
    assert given_back_s == [0.0, 1.0, 10.0]
    began_ns = clock.now_ns
    node._note_start()
    assert given_back_s == [0.0, 1.0, 10.0, 0.0]
