"""Two nodes under one name, a cloned card say: told as that, and no alarm of either is folded away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.fleet.feed import TWIN_FOR_S, FleetFeed
from agent.ports.mqtt import Received

NOW = 10**12


def alarm(node: str, sequence: int, epoch: str = "E", topic: str = "Device/vigie:Door", data: Any = None) -> Received:
    """What one of two cards says under the name both bear."""
    properties = {"event-id": f"{node}-{epoch}-{sequence}", "sequence": str(sequence), "epoch": epoch, "class": "alarm"}
    payload = json.dumps({"UtcTime": "t", "Source": {}, "Data": data or {"From": node}}).encode()
    return Received(f"vigie/pole-1/onvif-ej/{topic}", payload, False, tuple(properties.items()))


def first_start(node: str, epoch: str) -> Received:
    """The first event of a card that never ran before."""
    data = {"PreviousEpoch": "", "LastKnownSequence": 0, "FirstSequence": 1, "Reason": "first start"}
    return alarm(node, 1, epoch, f"Monitoring/vigie:OutboxEpoch/&{epoch}", data)


def birth(boot_id: str, state: str = "online", *, retain: bool = False) -> Received:
    """One of them comes on."""
    body = {"state": state, "since": "t", "version": "1", "boot_id": boot_id}
    return Received("vigie/pole-1/status", json.dumps(body).encode(), retain)


def told(*messages: Received) -> list[dict[str, Any]]:
    """Every change that watch shows."""
    feed = FleetFeed("vigie")
    return [change for message in messages for change in feed.take(message, NOW)]


def kinds(*messages: Received) -> list[str]:
    """Only what kind each is of."""
    return [change["change"] for change in told(*messages)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 40)), unique=True, max_size=60), st.randoms())
def test_every_alarm_of_two_cloned_cards_is_shown_once(heard: list[tuple[str, int]], dice: Any) -> None:
    """Same epoch, same numbers, in any order, some of them twice: shown exactly once each; told as two where numbers meet."""
    again = [one for one in heard if dice.random() < 0.3]
    changes = told(*(alarm(node, sequence) for node, sequence in [*heard, *again]))
    shown = [change["event-id"] for change in changes if change["change"] == "alarm"]
    assert sorted(shown) == sorted(f"{node}-E-{sequence}" for node, sequence in heard)
    assert sum(change["change"] == "duplicate" for change in changes) == len(again)
    meet = {s for node, s in heard if node == "a"} & {s for node, s in heard if node == "b"}
    assert sum(change["change"] == "two-nodes" for change in changes) == bool(meet)


def test_a_card_written_anew_beside_the_old_node_is_a_second_node() -> None:
    """Both counts begin by themselves: the old epoch goes on after the new one took its place."""
    old = [alarm("a", sequence, "A") for sequence in range(500, 503)]
    assert "two-nodes" not in kinds(*old, first_start("b", "B"), alarm("b", 2, "B"))
    assert "two-nodes" in kinds(*old, first_start("b", "B"), alarm("b", 2, "B"), alarm("a", 503, "A"))


def test_what_was_carried_over_from_a_lost_database_is_of_one_node() -> None:
    """Old events, below the first number of the new epoch, come after its story: alarms pass a backlog."""
    data = {"PreviousEpoch": "A", "LastKnownSequence": 9, "FirstSequence": 1010, "Reason": "corrupt"}
    story = alarm("a", 1010, "B", "Monitoring/vigie:OutboxEpoch/&B", data)
    assert "two-nodes" not in kinds(alarm("a", 5, "A"), story, *(alarm("a", n, "A") for n in range(6, 10)), alarm("a", 1011, "B"))


@pytest.mark.parametrize("late", [birth("A", "offline"), birth("A", "stopping"), birth("A", retain=True)])
def test_births_in_turn_are_two_nodes_and_a_late_will_is_none(late: Received) -> None:
    """A run that another followed never comes back; its will, its goodbye, and what a broker kept of it may."""
    assert "two-nodes" not in kinds(birth("A"), birth("B"), late, birth("B"))
    assert "two-nodes" in kinds(birth("A"), birth("B"), birth("A"))


def test_it_stands_on_top_until_it_is_over() -> None:
    """The fault outweighs all others, is told once, and ends ten minutes after the last sign of it."""
    feed = FleetFeed("vigie")
    for _ in range(3):
        for boot in "AB":
            feed.take(birth(boot), NOW)
    assert feed.nodes["pole-1"].faults()[0][1].startswith("two nodes under this name")
    feed.look(NOW + int(TWIN_FOR_S * 1e9) + 1)
    assert not any("two nodes" in words for _, words in feed.nodes["pole-1"].faults())
