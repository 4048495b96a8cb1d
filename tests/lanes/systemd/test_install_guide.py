"""docs/install.md is true: a new technician's commands, run as they stand there, end with a node that masks and records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lanes.systemd.conftest import REPOSITORY, Boot
from tests.support.guide import steps, without_metrics
from tests.support.nspawn import Machine

pytestmark = pytest.mark.lane("systemd")

GUIDE = REPOSITORY / "docs/install.md"


def section() -> str:
    """The guide's first section."""
    return GUIDE.read_text(encoding="utf-8").split("## On a Raspberry Pi")[1].split("\n## ")[0]


@pytest.fixture
def technician(boot: Boot, package: Path) -> Machine:
    """A bare board with a technician who has sudo and the package."""
    board = boot("guide")
    board.run("useradd --create-home technician; echo 'technician ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/technician")
    board.put(package, "/home/technician/vigie_0.1.0_amd64.deb")
    return board


def test_guide_as_it_was_written(technician: Machine) -> None:
    """Each command succeeds and prints what the guide shows; at the end the picture is masked and recorded."""
    as_technician = "cd /home/technician && setpriv --reuid=technician --regid=technician --init-groups -- sh -c"
    for number, step in enumerate(steps(section())):
        technician.write(f"/home/technician/step-{number}", step.command)
        done = technician.run(f'{as_technician} "COLUMNS=110 . ./step-{number}"', check=False)
        assert done.code == 0, f"{step.command}\n{done.output}"
        printed = {without_metrics(line) for line in done.output.splitlines()}
        assert not [line for line in step.shown if without_metrics(line) not in printed], f"{step.command}\n{done.output}"
    health = json.loads(technician.run("vigie status --json").output)
    assert (health["privacy"]["state"], health["recording"]["state"]) == ("masked", "recording")


def test_guide_shows_the_whole_way() -> None:
    """The guide is read, not skipped: install, four edits, doctor, validate, start."""
    commands = " ; ".join(step.command for step in steps(section()))
    for wanted in ("apt install", "vigie check", "vigie doctor", "vigie masks validate", "systemctl start vigie.target"):
        assert wanted in commands
    assert commands.count("sed -i") == 4
