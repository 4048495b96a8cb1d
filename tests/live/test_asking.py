"""Leases asked for through the hub's commands, a token in the place of a password, and the control socket."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.config.load import load
from agent.live.feature import LiveFeature
from agent.node.node import Node
from agent.node.wiring import build
from agent.operations import payloads
from agent.operations.caller import Caller, Refusal, Refused, Role
from agent.operations.desk import Desk
from agent.operations.feature import SocketVerbs
from agent.ports.live import Way
from agent.recording.feature import RecordingFeature
from agent.uplink.health_feature import HealthFeature
from tests.support.hub_key import HubKey
from tests.support.journals import Remembered

TABLES = """\
[node]
id = "pole-7"
state_dir = "state"
[camera]
driver = "synthetic"
[mqtt]
url = "mqtt://127.0.0.1:1"
command_key_file = "hub.pem"
[console]
enabled = false
[live]
"""
OPERATOR = Caller("M. Dupont", Role.OPERATOR)
POLICE = Caller("BM Leroy", Role.POLICE)
SUPERVISOR = Caller("Mme Roche", Role.SUPERVISOR)


class Asked:
    """A node put together of its real parts, none of which runs."""

    def __init__(self, directory: Path, live: str) -> None:
        self.hub = HubKey(directory / "hub.pem")
        self.state = directory / "state"
        path = directory / "config.toml"
        path.write_text(TABLES + live)
        self.node: Node = build(load(path), path)
        self.live = self.node.house.find(LiveFeature)
        self.entered = Remembered()
        self.desk = Desk(self.node.house.operations, self.entered)

    def open(self, caller: Caller, **more: Any) -> payloads.LiveOpened:
        """By the hub's command."""
        answer = self.desk.do("live-open", payloads.LiveOpen.checked({"token": "x", **more}), caller)
        assert isinstance(answer, payloads.LiveOpened)
        return answer

    def close(self, lease: str, caller: Caller) -> Any:
        """By the hub's command."""
        return self.desk.do("live-close", payloads.LiveClose(token="x", lease=lease), caller)

    def in_force(self) -> list[str]:
        """As the centre is told."""
        told = self.desk.do("live-list", payloads.LiveList(token="x"), SUPERVISOR)
        return [each["lease"] for each in json.loads(msgspec.json.encode(told))["leases"]]

    def token(self, **claims: Any) -> str:
        """For one look."""
        return self.hub.token(**{"role": "police", "sub": "BM Leroy", "verb": "live-open", **claims})


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    """With live on."""
    found = Asked(tmp_path, "enabled = true\n")
    yield found
    found.node.lock.give_back()
    found.node.house.find(RecordingFeature).catalog.close()


def test_the_answer_holds_all_that_a_viewer_needs_and_nothing_else_holds_its_secret(asked: Asked) -> None:
    """Addresses complete with credentials; neither register, list, health nor disk know the password."""
    answer = asked.open(POLICE, why="fight at the market", station="Chalon", seconds=1800)
    assert answer.rtsp is not None
    assert answer.rtsps is not None
    assert answer.page is None
    login = answer.rtsp.removeprefix("rtsp://").partition("@")[0]
    lease, password = login.split(":")
    secret = asked.live.gate.challenge(lease)
    assert secret is not None
    assert (lease, password) == (answer.lease, secret.password)
    told = asked.desk.do("live-list", payloads.LiveList(token="x"), SUPERVISOR)
    health = asked.node.house.find(HealthFeature).publisher.document()
    assert health["live"] == {"viewers": 0, "leases": 1, "push": "off", "low": False, "low_dropped": 0, "refused": 0}
    everything = f"{told}{health}{asked.entered.entries}" + "".join(
        path.read_text(errors="replace") for path in asked.state.rglob("*") if path.is_file()
    )
    assert lease in everything
    assert password not in everything


def test_only_its_owner_and_a_supervisor_close_a_lease(asked: Asked) -> None:
    """And who may list is no police matter."""
    lease = asked.open(POLICE).lease
    with pytest.raises(Refused) as refused:
        asked.close(lease, OPERATOR)
    assert refused.value.code is Refusal.FORBIDDEN
    with pytest.raises(Refused, match="not for the role police"):
        asked.desk.do("live-list", payloads.LiveList(token="x"), POLICE)
    assert asked.in_force() == [lease]
    asked.close(lease, SUPERVISOR)
    assert asked.in_force() == []
    with pytest.raises(Refused, match="stays over"):
        asked.close(lease, SUPERVISOR)


def test_a_token_opens_one_lease_and_names_it_while_it_lasts(asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    """Its reuse within the lease is the same viewer; after the end it opens nothing, here or as a command."""
    caplog.set_level(logging.INFO)  # why a token opens nothing is said there alone
    token = asked.token(arguments={"seconds": 1800, "why": "fight at the market"})
    lease = asked.live.gate.bearer(token)
    assert lease is not None
    assert asked.live.gate.bearer(token) == lease
    assert asked.in_force() == [lease]
    asked.close(lease, POLICE)
    assert asked.live.gate.bearer(token) is None
    before = len(caplog.records)
    for _ in range(300):
        asked.live.gate.bearer("x" * 10)
    assert len(caplog.records) == before + 1  # said once: whoever tries for ever fills no log
    assert asked.live.gate.bearer(token) is None
    assert asked.in_force() == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "pole-8"},
        {"exp": 1_000_000_000, "iat": 999_999_990},
        {"verb": "ping"},
        {"role": "mayor"},
        {"arguments": {"seconds": 28_801}},
        {"arguments": {"push_url": "rtsps://elsewhere.example/x"}},
        {"exp": None},
    ],
    ids=["another node's", "expired", "for another command", "of no role", "too long", "with a target of its own", "without end"],
)
def test_a_token_that_is_not_good_opens_nothing(asked: Asked, claims: dict[str, Any]) -> None:
    """None of them is worth an exception."""
    assert asked.live.gate.bearer(asked.token(**claims)) is None
    assert asked.in_force() == []


def test_a_foreign_token_and_noise_open_nothing(asked: Asked, tmp_path: Path) -> None:
    """Signed by somebody else's key, or by nobody."""
    foreign = HubKey(tmp_path / "foreign.pem").token(verb="live-open")
    for token in (foreign, "", "a.b.c", "\0", "é" * 5000, "\udc80", foreign[:-3]):
        assert asked.live.gate.bearer(token) is None
    assert asked.in_force() == []


@pytest.mark.parametrize("way", [Way.WEB, Way.PUSH])
def test_a_way_that_is_not_offered_is_refused_in_words(asked: Asked, way: Way) -> None:
    """With the remedy, and no lease is left behind."""
    with pytest.raises(Refused, match=f"by {way} here") as refused:
        asked.open(OPERATOR, transport=way.value)
    assert refused.value.remedy
    assert asked.in_force() == []


def test_the_control_socket_opens_for_whoever_is_named(asked: Asked) -> None:
    """The document of `vigie live open --json`, key by key."""
    verbs = SocketVerbs(asked.desk)
    found = verbs["lease-open"]({"verb": "lease-open", "by": "BM Leroy", "role": "police", "seconds": 60})
    assert set(found) == {"lease", "until", "rtsp", "rtsps", "page"}
    (lease,) = verbs["lease-list"]({"verb": "lease-list"})["leases"]
    assert (lease["by"], lease["transport"], lease["viewers"]) == ("BM Leroy (police)", "rtsp", 0)
    verbs["lease-renew"]({"verb": "lease-renew", "lease": found["lease"], "seconds": 120})
    verbs["lease-close"]({"verb": "lease-close", "lease": found["lease"]})
    assert verbs["lease-list"]({"verb": "lease-list"})["leases"] == []
    with pytest.raises(Exception, match="role: should be one of operator, supervisor, technician, police"):
        verbs["lease-open"]({"verb": "lease-open", "by": "X", "role": "mayor"})


def test_with_live_off_nobody_looks_and_it_is_said(tmp_path: Path) -> None:
    """No server, no account, no lease."""
    off = Asked(tmp_path, 'enabled = false\n[[live.account]]\nname = "vms"\npassword_file = "none"\n')
    try:
        with pytest.raises(Refused, match="not enabled"):
            off.open(OPERATOR)
        assert off.live.components() == ()
        assert off.live.gate.challenge("vms") is None
    finally:
        off.node.lock.give_back()
        off.node.house.find(RecordingFeature).catalog.close()


def test_a_node_that_listens_everywhere_is_told_by_an_address_that_leads_to_it(tmp_path: Path) -> None:
    """Nobody can look at 0.0.0.0: page and RTSP name the address this machine speaks from."""
    everywhere = Asked(tmp_path, 'enabled = true\nhost = "0.0.0.0"\npage_port = 8443\n')
    try:
        answers = [everywhere.open(OPERATOR), everywhere.open(OPERATOR, transport="web")]
        urls = [url for answer in answers for url in (answer.rtsp, answer.rtsps, answer.page) if url is not None]
        assert len(urls) == 3
        assert not any("0.0.0.0" in url for url in urls)
    finally:
        everywhere.node.lock.give_back()
        everywhere.node.house.find(RecordingFeature).catalog.close()
