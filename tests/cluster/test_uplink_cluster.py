"""The uplink on a three-node RabbitMQ 4 cluster: nodes of the cluster and of ours are killed in the middle of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.fault_scene import Scene, settled, wait_until
from bench.independent_hub import Subscriber, judge
from tests.cluster.rabbitmq import RabbitMqCluster

if os.environ.get("VIGIE_CLUSTER") != "yes":
    pytest.skip("three RabbitMQ nodes take a minute: `make test-cluster`", allow_module_level=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMqCluster]:
    """All three nodes, clustered."""
    with RabbitMqCluster(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running


def test_the_three_are_one_cluster(cluster: RabbitMqCluster) -> None:
    """Each is a running member."""
    wait_until(lambda: all(cluster.members().count(f"rb{n}@localhost") >= 2 for n in range(3)), 60)


def test_a_killed_cluster_node_loses_no_alarm(cluster: RabbitMqCluster, tmp_path: Path) -> None:
    """The broker the node speaks to is killed in mid-traffic: it goes on with the next one, and everything arrives, in order."""
    scene = Scene(tmp_path)
    hub = Subscriber(cluster.ports[0])
    with scene.node(cluster.url(1), cluster.url(2), cluster.url(0)) as node:
        node.ask("raise 100", "raised")
        node.order("raise 200")
        cluster.kill(1)
        node.wait_for("raised")
        wait_until(lambda: node.ask("health", "health")["state"] == "online", 60)
        node.ask("raise 100", "raised")
        cluster.start(1)
        node.ask("raise 50", "raised")
        settled(hub, node)
        node.stop()
    hub.close()
    verdict = judge(hub.heard, node.alarms)
    assert verdict.sound, verdict
    assert verdict.alarms > 100


def test_a_node_killed_again_and_again_loses_no_alarm(cluster: RabbitMqCluster, tmp_path: Path) -> None:
    """Kill -9 of our own node at random instants, with the cluster as its broker."""
    scene = Scene(tmp_path, kills=5)
    hub = Subscriber(cluster.ports[2], "hub-kills", topic="vigie/#")
    alarms: set[int] = set()
    for _ in range(scene.kills):
        with scene.node(cluster.url(0), cluster.url(1), first=max(alarms, default=-1) + 2) as node:
            node.order("raise 100000")
            wait_until(lambda node=node: len(node.alarms) > scene.dice.randrange(5, 60))  # type: ignore[misc]
            node.kill()
            alarms |= node.alarms
    with scene.node(cluster.url(0), cluster.url(1), first=max(alarms, default=-1) + 2) as node:
        node.ask("raise 5", "raised")
        alarms |= node.alarms
        settled(hub, node, alarms)
        node.stop()
    hub.close()
    verdict = judge(list(hub.heard), alarms)
    assert verdict.sound, verdict
