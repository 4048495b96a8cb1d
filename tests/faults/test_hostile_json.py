"""Requests with a good token and ill-written arguments: refused in words, whatever a lenient reader would make of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.journal.register import Register
from agent.operations.payloads import Done
from agent.ports.mqtt import Publication, Received
from agent.uplink.commands import LONGEST_REQUEST_BYTES, Commands, Waiting
from agent.uplink.replay_cache import ReplayCache
from agent.uplink.topics import NodeTopics
from tests.support.desks import desk
from tests.support.hostile_json import CONVERTIBLE, ILL_CODED, with_text
from tests.support.hub_key import HubKey
from tests.support.manual_clock import ManualClock

SPAN = {"from": "2026-06-01T11:00:00Z", "to": "2026-06-01T11:10:00Z"}
GOOD: dict[str, dict[str, str]] = {"bookmark": SPAN, "hold": {"reference": "PV 1", **SPAN}}


class Node:
    """Takes requests and carries out whatever passes its checks."""

    def __init__(self, directory: Path) -> None:
        topics, clock = NodeTopics("vigie", "pole-7"), ManualClock()
        self.hub = HubKey(directory / "hub.pem", clock=clock)
        self._root = topics.root
        self._answers: list[Publication] = []
        self._spent = ReplayCache(directory / "commands.sqlite3", clock)
        register = Register(directory / "register.jsonl", clock)
        self._commands = Commands(
            lambda: topics,
            lambda: self.hub.path,
            self._spent,
            register,
            desk(register, lambda *_: Done()),
            self._answers.append,
            clock,
        )

    def ask(self, verb: str, name: str, value: bytes, **claims: Any) -> dict[str, Any]:
        """The answer to good arguments with one more."""
        body = json.dumps({"token": self.hub.token(**claims), **GOOD.get(verb, {})}).encode()
        payload = with_text(body, name, value)
        self._commands.take(
            Waiting(Received(f"{self._root}/command/{verb}", payload, response_topic=f"{self._root}/answer/desk"))
        )
        answer: dict[str, Any] = json.loads(self._answers.pop().payload or b"")
        return answer


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """A fresh one."""
    return Node(tmp_path)


@pytest.mark.parametrize(("verb", "name", "value"), CONVERTIBLE)
def test_nothing_is_converted(node: Node, verb: str, name: str, value: bytes) -> None:
    """A number is no text, a boolean no number, a local time no time: each is refused as invalid, and named."""
    refused = node.ask(verb, name, value)
    assert refused["code"] == "invalid"
    assert refused["reason"].startswith(f"{name}: ")
    assert ";" not in refused["reason"]


@pytest.mark.parametrize("value", ILL_CODED)
def test_what_is_no_json_is_malformed(node: Node, value: bytes) -> None:
    """Numbers beyond all numbers, half a surrogate pair, control characters, bottomless nesting: refused in plain words."""
    refused = node.ask("ping", "more", value)
    assert (refused["code"], refused["reason"][:11]) == ("malformed", "the request")
    assert not [mark for mark in ("`", "Error", "$") if mark in refused["reason"]]


@pytest.mark.parametrize("value", [b"[" * 100_000, b'"' + b"x" * LONGEST_REQUEST_BYTES + b'"'])
def test_what_is_too_large_is_not_read(node: Node, value: bytes) -> None:
    """However deep it is."""
    assert node.ask("ping", "more", value)["code"] == "too-large"


@pytest.mark.parametrize("depth", [10, 400, 900])
def test_nesting_that_the_hub_signed_for_is_refused_too(node: Node, depth: int) -> None:
    """It is compared with what the token allows, and no verb takes it; nothing overflows on the way."""
    nested: list[object] = []
    for _ in range(depth):
        nested = [nested]
    text = b"[" * (depth + 1) + b"]" * (depth + 1)
    refused = node.ask("ping", "more", text, arguments={"more": nested})
    assert refused["code"] in ("invalid", "malformed", "unsigned")


def test_the_last_of_two_equal_keys_counts_everywhere(node: Node) -> None:
    """What is compared with the token, checked, entered and carried out is one reading of the request."""
    signed = {"seconds": 5}
    assert node.ask("set-health-interval", "seconds", b'5, "seconds": 6', arguments=signed)["code"] == "wrong-arguments"
    assert node.ask("set-health-interval", "seconds", b'6, "seconds": 5', arguments=signed)["ok"]
    assert node.ask("set-health-interval", "seconds", b'6, "second\\u0073": 5', arguments=signed)["ok"]
