"""Units and updates, by what systemctl and apt-config say."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.commissioning.line import Grade
from agent.commissioning.programs import Answer, ask_system
from agent.commissioning.service import Units, judge_service, judge_updates

UPDATES = 'APT::Periodic "";\nAPT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "{0}";\n'


def units(root: Path, active: str = "active", **states: str) -> Units:
    """What systemd has of our units; what is not named does not exist."""
    (root / "run/systemd/system").mkdir(parents=True)

    def ask(*command: str) -> Answer:
        if command[1] == "is-active":
            return Answer(0, active)
        state = states.get(command[-1].replace(".", "_").replace("-", "_"), "not-found")
        return Answer(0 if state == "enabled" else 1, state)

    return Units.of(ask, root)


RUNS = {"version": "1", "components": {"camera": "running"}}
INSTALLED = {"vigie_target": "enabled", "vigie_service": "enabled", "vigie_retention_timer": "enabled"}


@pytest.mark.parametrize(
    ("states", "service", "timer"),
    [
        (INSTALLED, Grade.OK, Grade.OK),
        (INSTALLED | {"vigie_service": "disabled"}, Grade.OK, Grade.OK),
        (INSTALLED | {"vigie_target": "disabled"}, Grade.FAIL, Grade.OK),
        (INSTALLED | {"vigie_service": "masked", "vigie_retention_timer": "disabled"}, Grade.FAIL, Grade.FAIL),
        ({}, Grade.FAIL, Grade.OPEN),
    ],
)
def test_each_unit_must_start_at_boot(tmp_path: Path, states: dict[str, str], service: Grade, timer: Grade) -> None:
    """The service comes with its target, and only with it; the retention timer by itself, and with the package."""
    grades = {line.check: line.grade for line in judge_service(units(tmp_path, **states), RUNS)}
    assert grades == {"vigie.service": service, "daemon": Grade.OK, "vigie-retention.timer": timer}


@pytest.mark.parametrize(
    ("active", "changed", "grade", "remedy"),
    [
        ("inactive", {}, Grade.WARN, "`sudo systemctl start vigie.target`"),
        ("failed", {}, Grade.FAIL, "`sudo journalctl -u vigie -n 20` says why"),
        ("activating", {}, Grade.WARN, "`sudo journalctl -u vigie -n 20` says why"),
        ("active", {}, Grade.WARN, "`sudo systemctl restart vigie`"),
        ("inactive", {"vigie_target": "disabled"}, Grade.OPEN, ""),
        ("inactive", {"vigie_service": "masked"}, Grade.OPEN, ""),
        ("inactive", {"vigie_service": "not-found"}, Grade.OPEN, ""),
    ],
)
def test_a_daemon_that_does_not_run_has_the_command_for_its_state(
    tmp_path: Path, active: str, changed: dict[str, str], grade: Grade, remedy: str
) -> None:
    """Where another line names the cause, it waits for that, and names no command that would not work."""
    lines = {line.check: line for line in judge_service(units(tmp_path, active, **INSTALLED | changed), None)}
    assert (lines["daemon"].grade, lines["daemon"].remedy) == (grade, remedy)


def test_where_systemd_did_not_start_the_system_nothing_is_claimed(tmp_path: Path) -> None:
    """A container may have `systemctl`: it starts nothing there, and whether a unit is enabled says nothing."""
    without = Units.of(lambda *_: Answer(0, "enabled"), tmp_path)
    lines = {line.check: line for line in judge_service(without, None)}
    assert [line.grade for line in lines.values()] == [Grade.OPEN, Grade.WARN, Grade.OPEN]
    assert lines["daemon"].remedy == "`vigie run`"


@pytest.mark.parametrize(("value", "grade"), [("1", Grade.OK), ("0", Grade.WARN), ("", Grade.WARN)])
def test_security_updates_must_be_on(value: str, grade: Grade) -> None:
    """Both lists and upgrades; 0 is off."""
    text = UPDATES.format(value) if value else 'APT::Periodic "";'
    assert judge_updates(lambda *_: Answer(0, text)).grade is grade


def test_updates_that_nobody_can_be_asked_about_are_left_open() -> None:
    """A doctor on a workshop machine comes to its end, and says nothing that it does not know."""
    assert judge_updates(lambda *_: None).grade is Grade.OPEN


@pytest.mark.parametrize(("value", "command"), [("0", "dpkg-reconfigure -plow unattended-upgrades"), ("", "apt install")])
def test_updates_have_the_one_command_that_is_missing(value: str, command: str) -> None:
    """Installed and switched off, or not there at all."""
    text = UPDATES.format(value) if value else 'APT::Periodic "";'
    assert command in judge_updates(lambda *_: Answer(0, text)).remedy


def test_a_program_that_is_not_there_is_no_answer() -> None:
    """Nor is one that speaks."""
    assert ask_system("vigie-no-such-program") is None
    assert ask_system("echo", "hello") == Answer(0, "hello")
