"""The published schemas: current, and true of what a real node sends."""

from __future__ import annotations

import json
import re
import runpy
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from agent.base.clock import rfc3339
from tests.support.deadline import until
from tests.support.footage import REPOSITORY
from tests.support.independent_hub import Heard
from tests.support.town import running_town

ASKED = {"answer", "ping", "snapshot", "bookmark", "hold"}
PUBLISHED = REPOSITORY / "docs" / "asyncapi.yaml"


AT = "2026-06-01T12:00:00Z"
MOTION: dict[str, Any] = {"UtcTime": AT, "Source": {"Source": "pole-7"}, "Data": {"State": True}}
PROPERTIES = {
    "event-id": "01JBVQ4M3N8Z6T0W5X9Y2A7C1D",
    "sequence": "1",
    "epoch": "e",
    "clock-quality": "synchronised",
    "class": "property",
    "class-sequence": "1",
    "edge": "began",
    "severity": "notice",
}
LINE: dict[str, Any] = {
    "n": 1,
    "at": AT,
    "clock": "synchronised",
    "act": "held",
    "by": "OPJ Martin",
    "facts": {"hold": 1, "from": AT, "to": AT, "reference": "PV 1", "by": "OPJ Martin"},
    "prev": "0" * 64,
}


class Published:
    """docs/asyncapi.yaml as a stranger reads it: topics to channels, payloads to schemas."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))

    def channel(self, topic: str) -> str:
        """The one channel whose address a topic matches."""
        found = [name for name, channel in self.document["channels"].items() if _matches(channel["address"], topic)]
        assert len(found) == 1, f"{topic} matches {found}"
        return str(found[0])

    def wrong(self, heard: Heard) -> list[str]:
        """What does not hold of a message."""
        messages = self.document["channels"][self.channel(heard.topic)]["messages"]
        found = [self._wrong(self.document["components"]["messages"][name], heard) for name in messages]
        return [] if [] in found else found[0]

    def _wrong(self, message: dict[str, Any], heard: Heard) -> list[str]:
        complaints = []
        if "headers" in message:
            complaints += self._against(message["headers"], heard.properties)
        if message["contentType"] == "application/json":
            complaints += self._against(message["payload"], json.loads(heard.payload))
        return complaints

    def _against(self, schema: dict[str, Any], value: object) -> list[str]:
        whole = {**schema, "components": self.document["components"]}
        return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def _matches(address: str, topic: str) -> bool:
    pattern = re.escape(address).replace(r"\{prefix\}", "vigie")
    return re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", pattern), topic) is not None


def test_the_published_file_is_what_the_code_says() -> None:
    """Whoever changes a payload runs `make asyncapi`."""
    written = runpy.run_path(str(REPOSITORY / "tools" / "write_asyncapi.py"))["text"]()
    assert PUBLISHED.read_text(encoding="utf-8") == written, "run `make asyncapi`"


def test_live_messages_match_their_schemas(tmp_path: Path) -> None:
    """Birth, health, events, register, commands, answers and goodbye of a whole node, as a broker delivers them."""
    published = Published()
    span = {"from_": rfc3339(time.time_ns() - 60 * 10**9), "to": rfc3339(time.time_ns())}
    with running_town(tmp_path, "home_assistant = true") as town:
        assert town.ask("ping")["ok"]
        assert town.ask("snapshot", width=64)["ok"]
        assert town.ask("bookmark", incident="26-1", **span)["ok"]
        until(town.node.recordings, "something is recorded")
        span["to"] = rfc3339(time.time_ns())
        assert town.ask("hold", reference="PV 1", **span)["ok"]
        assert not town.ask("hold", "operator", reference="PV 1", **span)["ok"]
        wanted = {"status", "health", "MotionAlarm", "PrivacyMask", "Bookmark", "register", "announcement", *ASKED}
        town.hub.wait_for(lambda heard: wanted <= {published.channel(h.topic) for h in heard})
        hub = town.hub
    assert Counter(published.channel(h.topic) for h in hub.heard)["answer"] == 5
    wrong = {h.topic: complaints for h in hub.heard if h.payload and (complaints := published.wrong(h))}
    retained = {name: published.document["operations"][f"send-{name}"]["bindings"]["mqtt"]["retain"] for name in wanted - ASKED}
    assert retained == {name: name not in ("Bookmark", "register") for name in wanted - ASKED}
    assert not wrong


@pytest.mark.parametrize(
    ("topic", "payload"),
    [("vigie/pole-7/onvif-ej/VideoSource/MotionAlarm/&pole-7", MOTION), ("vigie/pole-7/register", LINE)],
)
def test_the_samples_are_right(topic: str, payload: dict[str, Any]) -> None:
    """Those that are made wrong below."""
    assert Published().wrong(Heard(topic, json.dumps(payload).encode(), False, 1, PROPERTIES, 0)) == []


@pytest.mark.parametrize(
    ("topic", "payload", "properties"),
    [
        ("vigie/pole-7/status", {"state": "asleep", "since": "2026-06-01T12:00:00Z", "version": "1", "boot_id": "b"}, {}),
        ("vigie/pole-7/command/hold", {"token": "x", "from": "2026-06-01T12:00:00Z"}, {}),
        ("vigie/pole-7/command/ping", {"token": "x", "unmask": True}, {}),
        (
            "vigie/pole-7/onvif-ej/VideoSource/MotionAlarm/&pole-7",
            {"UtcTime": "2026-06-01T12:00:00Z", "Source": {}},
            {"sequence": "1"},
        ),
        ("vigie/pole-7/onvif-ej/VideoSource/MotionAlarm/&pole-7", MOTION | {"Data": {"State": "yes"}}, PROPERTIES),
        ("vigie/pole-7/onvif-ej/VideoSource/MotionAlarm/&pole-7", MOTION | {"Data": {"State": True, "Face": "x"}}, PROPERTIES),
        ("vigie/pole-7/onvif-ej/VideoSource/MotionAlarm/&pole-7", MOTION, PROPERTIES | {"severity": "dire"}),
        ("vigie/pole-7/register", LINE | {"facts": {"hold": 1}}, PROPERTIES),
        ("vigie/pole-7/register", LINE | {"facts": LINE["facts"] | {"hold": "one"}}, PROPERTIES),
    ],
)
def test_the_schemas_can_fail(topic: str, payload: dict[str, Any], properties: dict[str, str]) -> None:
    """A wrong state, a missing argument, an unknown key, a missing user property: each is seen."""
    assert Published().wrong(Heard(topic, json.dumps(payload).encode(), False, 1, properties, 0))
