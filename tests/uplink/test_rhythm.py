"""What a node does where `[mqtt]` says nothing goes by what it is; what is written holds."""

from __future__ import annotations

from typing import Any

import pytest

from agent.uplink.rhythm import health_seconds, pace_of
from tests.support.configuration import configured


def node(role: str, **mqtt: Any) -> Any:
    """With a broker."""
    return configured(
        {"node": {"id": "a", "role": role}, "camera": {"driver": "synthetic"}, "mqtt": {"url": "mqtt://hub:1883", **mqtt}}
    )


@pytest.mark.parametrize(("role", "health_s", "keepalive_s"), [("fixed", 10, 15), ("nomadic", 300, 240)])
def test_what_is_not_written_goes_by_the_role(role: str, health_s: int, keepalive_s: int) -> None:
    """A radio that is woken every ten seconds never sleeps."""
    assert (health_seconds(node(role)), pace_of(node(role)).keepalive_s) == (health_s, keepalive_s)


@pytest.mark.parametrize("role", ["fixed", "nomadic"])
def test_what_is_written_holds(role: str) -> None:
    """Whatever the node is."""
    config = node(role, health_seconds=60, keepalive_seconds=60)
    assert (health_seconds(config), pace_of(config).keepalive_s) == (60, 60)


def test_a_nomadic_node_leaves_out_what_is_well() -> None:
    """A fixed one tells everything."""
    assert pace_of(node("fixed")).health_most_bytes is None
    assert pace_of(node("nomadic")).health_most_bytes == 1200
