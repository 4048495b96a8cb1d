"""The uplink's fault suite on three RabbitMQ 4 nodes: the scenes of `vigie bench faults --broker cluster`, shorter."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bench.faults import CLUSTER_SCENARIOS
from tests.support import parts
from tests.support.fault_broker import Stage
from tests.support.fault_cluster import cluster
from tests.support.fault_scene import Scene

pytestmark = pytest.mark.lane("cluster")
if os.environ.get("VIGIE_CLUSTER") != "yes":
    pytest.skip("three RabbitMQ nodes take two minutes and root: `make test-cluster`", allow_module_level=True)


# RabbitMQ and a node as patient as in the field take two minutes over it; `vigie bench faults --broker cluster` plays it.
LONG = {"young-session"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """All three nodes, clustered; every scene finds them whole again."""
    parts.root()
    for name, package in (("mmdebstrap", "mmdebstrap"), ("unshare", "util-linux"), ("ip", "iproute2")):
        parts.program(name, package)
    with cluster(tmp_path_factory.mktemp("rabbitmq")) as running:
        yield running


@pytest.mark.parametrize("name", [name for name in CLUSTER_SCENARIOS if name not in LONG])
def test_nothing_is_lost_confused_or_unexplained(name: str, stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Zero alarms lost, order kept per class, duplicates foldable, every drop announced."""
    place = tmp_path_factory.mktemp(name)
    scene = Scene(place, seed=7, kills=4, events=3000, rounds=3, stage=stage, node_id=f"pole-{name}")
    verdict = CLUSTER_SCENARIOS[name](scene)
    assert verdict.sound, verdict
    assert verdict.alarms > 50
    assert (verdict.dropped > 0) == (name == "outage-full")
