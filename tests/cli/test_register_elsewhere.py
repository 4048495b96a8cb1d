"""`vigie register --verify` on a node, of registers that are another's, and of lines that bear no signature."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from agent.cli import run
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.journal.entry import Act
from agent.journal.register import Register
from tests.support.manual_clock import ManualClock


class Node:
    """Its state directory, its configuration and three lines in its register."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name, self.state = name, directory / name
        self.config = directory / f"{name}.toml"
        self.config.write_text(f'[node]\nid = "{name}"\nstate_dir = "{self.state}"\n[camera]\ndriver = "synthetic"\n')
        self.signer = IdentityDirectory(self.state / "identity").init(name)
        self.path = self.state / "register.jsonl"
        self.enter(3, self.signer)

    def enter(self, count: int, signer: NodeSigner | None) -> None:
        register = Register(self.path, ManualClock(), signer, node=self.name)
        for number in range(count):
            register.enter(Act.HELD, "OPJ", {"hold": number})


@pytest.fixture
def nodes(tmp_path: Path) -> tuple[Node, Node]:
    """Two of one town."""
    return Node(tmp_path, "mast-7"), Node(tmp_path, "mast-8")


def test_another_nodes_register_is_not_accused_for_lying_here(
    nodes: tuple[Node, Node], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Brought to another node and asked about without a certificate: whose it is is said, with what to give; 4, and with it 0."""
    theirs, ours = nodes
    brought = tmp_path / "brought" / "register.jsonl"
    brought.parent.mkdir()
    for each in theirs.state.glob("register.*"):
        shutil.copy(each, brought.parent)
    asked = ["register", "--verify", "--file", str(brought), "--config", str(ours.config)]
    assert run(asked) == 4
    said = capsys.readouterr().out
    assert "its lines name 'mast-7', and this is 'mast-8': give --certificate" in said
    assert run([*asked, "--certificate", str(theirs.state / "identity" / "chain.pem")]) == 0


def test_another_nodes_register_in_this_nodes_place_is_a_finding(nodes: tuple[Node, Node]) -> None:
    """In its place it passes for this node's, whether or not it is named; and with one line of this node it is no stranger's."""
    theirs, ours = nodes
    for each in theirs.state.glob("register.*"):
        shutil.copy(each, ours.state)
    asked = ["register", "--verify", "--config", str(ours.config)]
    assert run(asked) == 3
    assert run([*asked, "--file", str(ours.path)]) == 3


def test_a_register_of_two_nodes_is_a_finding_wherever_it_lies(nodes: tuple[Node, Node], tmp_path: Path) -> None:
    """Lines of another node behind true ones, taken off the node."""
    theirs, ours = nodes
    Register(ours.path, ManualClock(), theirs.signer, node=theirs.name).enter(Act.HELD, "OPJ", {"hold": 4})
    brought = tmp_path / "register.jsonl"
    for each in ours.state.glob("register.*"):
        shutil.copy(each, tmp_path)
    assert run(["register", "--verify", "--file", str(brought), "--config", str(ours.config)]) == 3


def test_lines_without_signature_amid_signed_ones_are_named(nodes: tuple[Node, Node], capsys: pytest.CaptureFixture[str]) -> None:
    """Which they are, so that somebody can look at them, for people and for programs."""
    node = nodes[0]
    for count in (1, 2):
        node.enter(count, None)
        node.enter(1, node.signer)
    asked = ["register", "--verify", "--config", str(node.config)]
    assert run(asked) == 0
    assert "of which 3 by a later line alone: line 4, lines 6 to 7" in capsys.readouterr().out
    assert run([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["covered_lines"] == [[4, 4], [6, 7]]
