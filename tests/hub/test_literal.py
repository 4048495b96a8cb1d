"""docs/hub carried out line by line on Debian's own mosquitto.conf, with a real node, its certificates and their renewal."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.deadline import until
from tests.support.footage import REPOSITORY
from tests.support.stock_hub import StockHub, toml_of_the_page

NODE = """
[node]
id = "pole-17"
state_dir = "/mnt/state"
[camera]
driver = "synthetic"
width = 320
height = 240
fps = 5
[[privacy.mask]]
name = "flat above the bakery"
polygon = [[0.10, 0.10], [0.30, 0.10], [0.30, 0.30], [0.10, 0.30]]
[console]
enabled = false
"""
HUB_EAR = f"{sys.executable} {REPOSITORY}/tests/support/hub_ear.py"


class Lines:
    """What a process prints, JSON line by JSON line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.found: list[dict[str, Any]] = []
        self.other: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                self.found.append(json.loads(line))
            except ValueError:
                self.other.append(line)

    def wait_for(self, condition: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        until(lambda: any(map(condition, list(self.found))) or self.process.poll() is not None, what)
        found = next(filter(condition, self.found), None)
        assert found is not None, f"{what}: it ended with {self.process.returncode}: {self.other[-20:]}"
        return found


@pytest.fixture(scope="module")
def hub() -> Iterator[StockHub]:
    """The page's set-up, done."""
    machine = StockHub()
    try:
        machine.carry_out("./authority.sh init")
        machine.carry_out("apt install mosquitto")
        machine.carry_out("install -o root -g vigie -m 0640 ca.pem")
        yield machine
    finally:
        machine.close()


@contextmanager
def running(machine: StockHub, command: str) -> Iterator[Lines]:
    """A command in the background, and what it prints."""
    process = machine.start(command)
    lines = Lines(process)
    try:
        yield lines
    finally:
        process.terminate()
        process.wait(60)


def configure(machine: StockHub, *, home_assistant: bool = False) -> None:
    """The node's file, with what the page says stands in it."""
    more = f"home_assistant = {str(home_assistant).lower()}\nhealth_seconds = 1\n"
    machine.write("/mnt/config.toml", f"{NODE}\n{toml_of_the_page()}{more}")


def ear(name: str) -> str:
    """The command of a hub under that name."""
    return f"{HUB_EAR} hub.ville.example 8883 ca.pem {name}.pem {name}.key {name}"


def epoch_story(line: dict[str, Any]) -> bool:
    """The first event of a node's life."""
    return "OutboxEpoch" in line.get("topic", "")


@pytest.mark.parametrize("home_assistant", [False, True])
def test_a_node_delivers_with_and_without_home_assistant(hub: StockHub, *, home_assistant: bool) -> None:
    """The doctor is content with every topic, and what a fresh node has to say first reaches the hub."""
    hub.run("rm -rf /mnt/state")
    configure(hub, home_assistant=home_assistant)
    judged = json.loads(hub.run("vigie doctor --config /mnt/config.toml --json 2>/dev/null; true"))
    lines = [line for line in judged["lines"] if line["check"].startswith("broker")]
    assert {line["grade"] for line in lines} == {"ok"}, lines
    assert "broker topics" in [line["check"] for line in lines]
    with running(hub, ear("hub")) as heard, running(hub, "vigie run --config /mnt/config.toml"):
        heard.wait_for(epoch_story, "the node's first event is at the hub")
        health = heard.wait_for(
            lambda line: line.get("topic") == "vigie/pole-17/health" and '"online"' in line["body"], "health is at the hub"
        )
    assert json.loads(health["body"])["uplink"]["reason"] == ""


def test_a_watch_beside_the_hub_throws_nobody_off(hub: StockHub) -> None:
    """Both hear the node, and the hub's line holds while the watch comes, looks and goes."""
    configure(hub)
    with running(hub, ear("hub")) as heard, running(hub, "vigie run --config /mnt/config.toml"):
        heard.wait_for(lambda line: line.get("topic") == "vigie/pole-17/status", "the node is there")
        seen = hub.carry_out("vigie watch")
        heard.found.clear()
        heard.wait_for(lambda line: line.get("topic") == "vigie/pole-17/health", "the hub hears on")
    assert "pole-17" in seen
    assert "online" in seen
    assert {"line": "out"} not in heard.found


def test_a_watch_ends_in_its_time_whoever_throws_it_off(hub: StockHub) -> None:
    """Under the hub's own certificate, which the page warns of, and at a port that never answers."""
    with running(hub, ear("hub")) as heard:
        heard.wait_for(lambda line: line.get("line") == "in", "the hub is in")
        for port in (8883, 8884, 8885):
            broker = f"mqtts://127.0.0.1:{port}"
            watch = hub.start(
                f"vigie watch --json --for 5 --broker {broker} --ca-file ca.pem --cert-file hub.pem --key-file hub.key"
            )
            watch.communicate(timeout=120)
            assert watch.returncode in (0, 1)


def test_a_fleet_is_simulated_beside_it(hub: StockHub) -> None:
    """Twenty sessions under one certificate: nothing is lost, and the hub sees none of it among its nodes."""
    with running(hub, ear("hub")) as heard:
        heard.wait_for(lambda line: line.get("line") == "in", "the hub is in")
        told = hub.carry_out("vigie fleet simulate")
    assert "nothing lost" in told
    assert not [line for line in heard.found if "simulation" in line.get("topic", "")]


def test_renewals_leave_no_gap_and_a_revoked_node_is_out(hub: StockHub) -> None:
    """Node's pair, broker's pair and list renewed while it runs: one count without a hole. Revoked: out, at once and for good."""
    hub.run("rm -rf /mnt/state")
    configure(hub)
    with running(hub, ear("hub")) as heard, running(hub, "vigie run --config /mnt/config.toml") as node:
        story = heard.wait_for(epoch_story, "the node is there")
        epoch = story["properties"]["epoch"]

        def births() -> int:
            return sum(
                line.get("topic") == "vigie/pole-17/status" and not line["retain"] and "online" in line["body"]
                for line in list(heard.found)
            )

        before = births()
        hub.carry_out("./authority.sh renew pole-17")
        until(lambda: births() > before, "the node came back with the new pair")
        hub.carry_out("./authority.sh renew broker")
        hub.run("./authority.sh revoke-former pole-17")
        hub.run("install -o mosquitto -g mosquitto -m 0400 crl.pem /etc/mosquitto/vigie/ && systemctl reload mosquitto")
        assert {"line": "out"} not in heard.found
        hub.carry_out("./authority.sh revoke pole-17")
        heard.wait_for(lambda line: '"offline"' in line.get("body", ""), "the stolen node's will")
        told = hub.run("vigie watch --broker mqtts://hub.ville.example:8883 --ca-file ca.pem --cert-file pole-17.pem"
                       " --key-file pole-17.key --for 3", code=1)  # fmt: skip
    mine = {int(line["properties"]["sequence"]) for line in heard.found if line.get("properties", {}).get("epoch") == epoch}
    assert mine == set(range(1, max(mine) + 1))
    assert "was not heard" in told, told
    assert "certificate verify failed" in hub.log()
    assert not node.other or "Traceback" not in "".join(node.other)


def test_the_authority_gives_no_node_somebody_elses_name(hub: StockHub) -> None:
    """Neither a role's, nor one that is taken, nor one that is no id; and each certificate says what it is for."""
    for name in ("hub", "police-7", "watch-2", "simulator", "broker", "ca", "Pole", "pole-17/../x"):
        assert "authority.sh:" in hub.run(f"./authority.sh node {name}", code=1), name
    assert "no role" in hub.run("./authority.sh role pole-18", code=1)
    assert "already" in hub.run("./authority.sh init 'Ville de Saint-Exemple'", code=1)
    for name, unit in (("pole-17", "vigie-node"), ("hub", "vigie-centre"), ("broker", "vigie-broker")):
        assert f"OU = {unit}" in hub.run(f"openssl x509 -noout -subject -in {name}.pem")
