"""docs/hub carried out on a booted Debian: its own mosquitto under its own unit, Vigie from its package, the real systemctl."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.lanes.systemd.conftest import CONFIG, REPOSITORY, Boot, configure, install, show
from tests.support import parts
from tests.support.deadline import until
from tests.support.nspawn import Machine
from tests.support.stock_hub import block_of_the_page, toml_of_the_page

pytestmark = pytest.mark.lane("systemd")

PYTHON = "/opt/vigie/current/bin/python -P"
COPY = "/root/hub"
HEARD = "/var/log/hub.jsonl"
LOG = "/var/log/mosquitto/mosquitto.log"
BROKER = "mosquitto.service"
PLAIN_BROKER = '[mqtt]\nurl = "mqtt://127.0.0.1:1883"\n'


class Town:
    """Two places, as the page has them: the office where the authority is kept, and the machine with broker and node."""

    def __init__(self, machine: Machine, office: Path) -> None:
        parts.program("openssl", "openssl")
        self.machine = machine
        self.office = office
        shutil.copytree(REPOSITORY / "docs/hub", office)
        machine.run(f"mkdir {COPY}")
        for name in ("mosquitto.conf", "hub.acl"):
            machine.put(office / name, f"{COPY}/{name}")

    def carry_out(self, first_words: str) -> str:
        """A block of the page: the authority's lines at the office, all others on the machine. What the latter printed."""
        printed = ""
        for line in block_of_the_page(first_words).splitlines():
            if line.startswith("./authority.sh"):
                subprocess.run(line, shell=True, cwd=self.office, check=True, capture_output=True)
                self._take_certificates()
            else:
                printed += self.machine.run(f"cd {COPY} && {line}").output
        return printed

    def heard(self) -> list[dict[str, Any]]:
        """What the hub heard so far, and when its line came and went."""
        return [json.loads(line) for line in self.machine.run(f"cat {HEARD}").output.splitlines() if line.startswith("{")]

    def logins(self) -> int:
        """How often the node came in under the name of its certificate, by the broker's log."""
        return len(re.findall(r"New client connected from \S+ as pole-17 .*u'pole-17'", self.machine.run(f"cat {LOG}").output))

    def _take_certificates(self) -> None:
        for path in [*self.office.glob("*.pem"), *self.office.glob("*.key")]:
            if path.name != "ca.key":
                self.machine.put(path, f"{COPY}/{path.name}")


@pytest.fixture
def town(boot: Boot, package: Path, tmp_path: Path) -> Town:
    """A Debian with Vigie installed and mosquitto as its package leaves it; nothing of the page is done yet."""
    machine = boot("hub")
    install(machine, package)
    machine.write("/etc/hosts", "127.0.0.1 localhost hub.ville.example\n")
    return Town(machine, tmp_path / "authority")


def uplink(town: Town) -> dict[str, Any]:
    """What the node says of its line to the broker."""
    part = json.loads(town.machine.run("vigie status --json").output)["uplink"]
    assert isinstance(part, dict)
    return part


def broker_up(town: Town) -> None:
    """Certificates and broker; a hub that listens from then on."""
    town.carry_out("./authority.sh init")
    town.carry_out("apt install mosquitto")
    town.machine.put(REPOSITORY / "tests/support/hub_ear.py", f"{COPY}/hub_ear.py")
    ear = f"{PYTHON} {COPY}/hub_ear.py hub.ville.example 8883 ca.pem hub.pem hub.key hub"
    options = f"--working-directory={COPY} --property=StandardOutput=append:{HEARD}"
    town.machine.run(f"systemd-run --quiet --unit=hub {options} {ear}")
    town.machine.wait_for(f"cat {HEARD}", '"line": "in"')


def node_in(town: Town, *, home_assistant: bool) -> None:
    """The node with what the page has it configure: the doctor is content with every topic, and the node is in."""
    more = f"home_assistant = {str(home_assistant).lower()}\nhealth_seconds = 1\n"
    assert PLAIN_BROKER in CONFIG
    configure(town.machine, CONFIG.replace("pole-7", "pole-17").replace(PLAIN_BROKER, toml_of_the_page() + more))
    town.machine.run("systemctl stop vigie.service")
    judged = json.loads(town.machine.run("vigie doctor --json 2>/dev/null", check=False).output)
    grades = {line["check"]: line["grade"] for line in judged["lines"] if line["check"].startswith("broker")}
    assert "broker topics" in grades
    assert set(grades.values()) == {"ok"}, judged
    before = town.logins()
    town.machine.run("systemctl start vigie.service")
    until(lambda: uplink(town)["state"] == "online", "the node is in")
    assert (town.logins() - before, uplink(town)["reason"]) == (1, "")


def renewed(town: Town) -> None:
    """The node's pair, then the broker's and the list: a fresh session for the node, no interruption for anybody else."""
    before = town.logins()
    town.carry_out("./authority.sh renew pole-17")
    until(lambda: town.logins() > before, "the node came back with the new pair")
    process = show(town.machine, "MainPID", unit=BROKER)
    town.carry_out("./authority.sh renew broker")
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-serial", "-in", town.office / "broker.pem"], capture_output=True, text=True, check=True
    )
    town.machine.wait_for(f"cd {COPY} && {PYTHON} -c '{_SERIAL}'", shown.stdout.strip().removeprefix("serial="))
    assert show(town.machine, "MainPID", unit=BROKER) == process


# What the broker shows to whoever dials it now.
_SERIAL = """
import socket, ssl
context = ssl.create_default_context(cafile="ca.pem")
context.load_cert_chain("watch-1.pem", "watch-1.key")
with context.wrap_socket(socket.create_connection(("127.0.0.1", 8883)), server_hostname="hub.ville.example") as line:
    print(line.getpeercert()["serialNumber"])
"""


def test_hub_page_on_a_booted_debian(town: Town) -> None:
    """Broker up, node in, a watch and a simulated fleet beside the hub, renewals without a gap, a revoked node out."""
    machine = town.machine
    broker_up(town)
    town.carry_out("install -o root -g vigie -m 0640 ca.pem")
    node_in(town, home_assistant=True)
    node_in(town, home_assistant=False)
    seen = town.carry_out("vigie watch")
    assert "pole-17" in seen
    assert "online" in seen
    assert "nothing lost" in town.carry_out("vigie fleet simulate")  # by root, in a directory that user vigie cannot enter
    renewed(town)
    assert {"line": "out"} not in town.heard()

    process = show(machine, "MainPID", unit=BROKER)
    town.carry_out("./authority.sh revoke pole-17")
    assert show(machine, "ActiveState", unit=BROKER) == {"ActiveState": "active"}
    assert show(machine, "MainPID", unit=BROKER) != process
    machine.wait_for(f"grep vigie/pole-17/status {HEARD} | tail -n 1", "offline")
    until(lambda: uplink(town)["state"] != "online", "the node knows that it is out")
    pair = "--ca-file ca.pem --cert-file pole-17.pem --key-file pole-17.key"
    refused = machine.run(f"cd {COPY} && vigie watch --broker mqtts://hub.ville.example:8883 {pair} --for 3", check=False)
    assert (refused.code, "was not heard" in refused.output) == (1, True), refused.output
    assert "certificate verify failed" in machine.run(f"cat {LOG}").output
    assert show(machine, "ActiveState") == {"ActiveState": "active"}  # it records on, and waits

    events = [line["properties"] for line in town.heard() if "epoch" in line.get("properties", {})]
    assert len({event["epoch"] for event in events}) == 1
    numbers = {int(event["sequence"]) for event in events}
    assert numbers == set(range(1, max(numbers) + 1))
