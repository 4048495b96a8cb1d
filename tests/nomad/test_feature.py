"""The unit as the hub meets it: a command closes and never opens, health tells its stage, a fixed node has none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.base.clock import NS
from agent.base.errors import DeploymentError
from agent.config.load import load
from agent.node.node import Node
from agent.node.wiring import build
from agent.nomad.acts import DeploymentActs
from agent.nomad.deployment import Basis, Deployment
from agent.nomad.feature import NomadFeature
from agent.nomad.store import DeploymentStore
from agent.operations import payloads
from agent.operations.caller import Caller, Role
from agent.operations.verbs import VERBS
from agent.recording.feature import RecordingFeature
from agent.recording.trusted_time import boot_id
from agent.stream.camera_feature import CameraFeature
from tests.support.journals import Remembered
from tests.support.manual_clock import ManualClock
from tests.support.nomad_unit import nomadic

SUPERVISOR = Caller("centre", Role.SUPERVISOR)
CONFIG = """\
[node]
id = "nomade-3"
role = "{role}"
state_dir = "state"
[camera]
driver = "synthetic"
width = 320
height = 240
[console]
enabled = false
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[[str], Node]]:
    """A node of that role, put together of its real parts; it does not run."""
    nodes: list[Node] = []

    def make(role: str) -> Node:
        path = tmp_path / "config.toml"
        path.write_text(CONFIG.format(role=role))
        nodes.append(build(load(path), path, clock=ManualClock()))
        return nodes[-1]

    yield make
    for node in nodes:
        node.lock.give_back()
        node.house.find(RecordingFeature).catalog.close()


def asked(node: Node, verb: str, request: object) -> Any:
    """What comes of a command that the desk let through."""
    (operation,) = [each for each in node.house.operations() if each.verb.name == verb]
    return operation.act(request, SUPERVISOR)


def begun(node: Node, tmp_path: Path) -> None:
    """A deployment for an hour, as the command line leaves it on disk."""
    clock = node._clock
    store = DeploymentStore(tmp_path / "state")
    acts = DeploymentActs(store, Remembered(), clock.wall_ns, boot_id())
    (perimeter,) = nomadic().nomad.perimeter
    acts.begin(
        Deployment(
            number=1,
            id="nomade-3-{number:04}",
            authorisation="2026-0412",
            basis=Basis.PERMANENT,
            perimeter=perimeter.name,
            polygon=perimeter.polygon,
            from_ns=clock.wall_ns(),
            until_ns=clock.wall_ns() + 3600 * NS,
            retention_days=14,
            informed_on="2026-05-31",
            contact="mairie",
            panel="post 4",
            place="post 4",
            by="A. Martin",
            begun_ns=clock.wall_ns(),
            boot="",
        ),
        view="",
    )


def test_a_command_withdraws_and_health_says_so(made: Callable[[str], Node], tmp_path: Path) -> None:
    """From opaque to dark for good; the register names who asked, and no verb leads back."""
    node = made("nomadic")
    feature = node.house.find(NomadFeature)
    assert feature.watch is not None
    begun(node, tmp_path)
    feature.watch.tick()
    part = feature.health()["nomad"]
    assert (part.stage, part.light, part.deployment) == ("placed", "opaque", "nomade-3-0001")
    answer = asked(node, "withdraw", SimpleNamespace(why="the event is cancelled"))
    assert answer.deployment == "nomade-3-0001"
    feature.watch.tick()
    part = feature.health()["nomad"]
    assert (part.stage, part.light) == ("withdrawn", "dark")
    assert "the event is cancelled" in part.why
    assert "centre (supervisor)" in (tmp_path / "state" / "register.jsonl").read_text()
    assert node.house.find(CameraFeature).capture.closed
    with pytest.raises(DeploymentError, match="is over"):
        asked(node, "withdraw", SimpleNamespace(why=""))


def test_before_its_disk_has_told_nobody_says_that_it_was_never_commissioned(made: Callable[[str], Node], tmp_path: Path) -> None:
    """Not before the first look after a start, and not while the record is damaged: how it hung is forgotten on neither."""
    node = made("nomadic")
    feature = node.house.find(NomadFeature)
    assert feature.watch is not None
    assert feature.commissioned_ns is None
    begun(node, tmp_path)
    DeploymentStore(tmp_path / "state").spoil(1)
    feature.watch.tick()
    assert feature.commissioned_ns is None


def test_without_any_deployment_nobody_has_commissioned_it(made: Callable[[str], Node]) -> None:
    """Known from the first look on."""
    feature = made("nomadic").house.find(NomadFeature)
    assert feature.watch is not None
    feature.watch.tick()
    assert feature.commissioned_ns == 0


def test_a_unit_without_a_receiver_says_that_it_does_not_know(made: Callable[[str], Node]) -> None:
    """Never a guess (N10)."""
    with pytest.raises(DeploymentError, match="does not know where it is"):
        asked(made("nomadic"), "locate", payloads.Locate(token=""))


def test_a_fixed_node_has_no_gate_in_its_way(made: Callable[[str], Node]) -> None:
    """No component, no shutter, and verbs that say what it is."""
    node = made("fixed")
    feature = node.house.find(NomadFeature)
    assert (feature.components(), feature.shutter) == ((), None)
    for verb in ("withdraw", "locate"):
        with pytest.raises(DeploymentError, match="this node is fixed"):
            asked(node, verb, SimpleNamespace(why=""))


def test_only_who_keeps_units_up_may_withdraw_one() -> None:
    """An operator looks, and does not take units down; nobody's verb opens one."""
    assert VERBS["withdraw"].roles == {Role.SUPERVISOR, Role.TECHNICIAN}
    assert not {name for name in VERBS if name.startswith(("deploy", "commission", "begin"))}
