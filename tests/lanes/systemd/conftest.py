"""The package, built once for the whole run, and machines it is installed in."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.nspawn import Machine, base_system

REPOSITORY = Path(__file__).parents[3]

# What a technician sets, small enough for a machine that shares two cores.
CONFIG = """
[node]
id = "pole-7"
[camera]
driver = "synthetic"
width = 320
height = 240
fps = 10
[[privacy.mask]]
name = "flat above the bakery"
polygon = [[0.10, 0.10], [0.30, 0.10], [0.30, 0.30], [0.10, 0.30]]
[recording]
segment_seconds = 5
[mqtt]
url = "mqtt://127.0.0.1:1883"
[console]
enabled = false
"""

Boot = Callable[[str], Machine]


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory, testrun_uid: str) -> Path:
    """The Debian package of this checkout; workers of one run share it."""
    directory = tmp_path_factory.getbasetemp().parent / f"vigie-package-{testrun_uid}"
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = list(directory.glob("*.deb"))
        if not built:
            build(REPOSITORY, directory)
            built = list(directory.glob("*.deb"))
    return built[0]


def build(sources: Path, directory: Path, *more: str) -> None:
    """The package of `sources`, by their own script, into `directory`."""
    command = ["systemd/debian/build.sh", "--suite", "bookworm", "--directory", str(directory), *more]
    environment = os.environ | {"DEB_COMPRESSION": "1"}
    done = subprocess.run(command, cwd=sources, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def boot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boot]:
    """Boots a fresh machine under a name; all are switched off at the end of the module."""
    base = base_system()
    running: list[Machine] = []

    def boot_one(name: str) -> Machine:
        running.append(Machine(base, tmp_path_factory.mktemp(name), f"vigie-{name}-{os.getpid()}"))
        return running[-1]

    yield boot_one
    for machine in running:
        machine.power_off()


def listen(machine: Machine) -> None:
    """A hub: somebody who takes what the node sends, so that it can say goodbye with nothing left."""
    hear = "mosquitto_sub -V 5 -i hub -c -q 1 -t vigie/#"
    machine.run(f"systemd-run --quiet --unit=hub --property=Restart=always {hear} -F '%t %p'")


def install(machine: Machine, package: Path) -> str:
    """`apt install` of the package as docs/install.md has an upgrade, which asks nothing; what it printed."""
    machine.put(package, "/root/vigie.deb")
    return machine.run("apt-get install --yes --quiet /root/vigie.deb").output


def configure(machine: Machine, text: str = CONFIG) -> None:
    """Put a configuration in place."""
    machine.write("/etc/vigie/config.toml", text)


def status(machine: Machine) -> dict[str, Any]:
    """The daemon's health."""
    health = json.loads(machine.run("vigie status --json").output)
    assert isinstance(health, dict)
    return health


def trial_of(machine: Machine, seconds: int) -> None:
    """Give new releases less time than a town would."""
    machine.run("mkdir -p /etc/systemd/system/vigie-trial.service.d")
    machine.write(
        "/etc/systemd/system/vigie-trial.service.d/test.conf", f"[Service]\nEnvironment=VIGIE_TRIAL_SECONDS={seconds}\n"
    )
    machine.run("systemctl daemon-reload")


def show(machine: Machine, *properties: str, unit: str = "vigie.service") -> dict[str, str]:
    """`systemctl show`."""
    output = machine.run(f"systemctl show {unit} " + " ".join(f"-p {name}" for name in properties)).output
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
