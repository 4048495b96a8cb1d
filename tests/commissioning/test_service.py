"""Units and updates, by what systemctl and apt-config say."""

from __future__ import annotations

import pytest

from agent.commissioning.line import Grade
from agent.commissioning.programs import Answer, ask_system
from agent.commissioning.service import judge_units, judge_updates

UPDATES = 'APT::Periodic "";\nAPT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "{0}";\n'


def units(**states: str) -> dict[str, Grade]:
    """Grades by unit; what is not named does not exist."""

    def ask(*command: str) -> Answer:
        state = states.get(command[-1].replace(".", "_").replace("-", "_"), "not-found")
        return Answer(0 if state == "enabled" else 1, state)

    return {line.check: line.grade for line in judge_units(ask)}


@pytest.mark.parametrize(
    ("states", "service", "timer"),
    [
        ({"vigie_target": "enabled", "vigie_service": "enabled", "vigie_retention_timer": "enabled"}, Grade.OK, Grade.OK),
        ({"vigie_target": "enabled", "vigie_service": "disabled", "vigie_retention_timer": "enabled"}, Grade.OK, Grade.OK),
        ({"vigie_target": "disabled", "vigie_service": "enabled", "vigie_retention_timer": "enabled"}, Grade.FAIL, Grade.OK),
        ({"vigie_target": "enabled", "vigie_service": "masked", "vigie_retention_timer": "disabled"}, Grade.FAIL, Grade.FAIL),
        ({}, Grade.FAIL, Grade.FAIL),
    ],
)
def test_each_unit_must_start_at_boot(states: dict[str, str], service: Grade, timer: Grade) -> None:
    """The service comes with its target, and only with it; the retention timer always by itself."""
    assert units(**states) == {"vigie.service": service, "vigie-retention.timer": timer}


@pytest.mark.parametrize(("value", "grade"), [("1", Grade.OK), ("0", Grade.WARN), ("", Grade.WARN)])
def test_security_updates_must_be_on(value: str, grade: Grade) -> None:
    """Both lists and upgrades; 0 is off."""
    text = UPDATES.format(value) if value else 'APT::Periodic "";'
    assert judge_updates(lambda *_: Answer(0, text)).grade is grade


def test_a_system_without_these_programs_is_a_warning() -> None:
    """A doctor on a workshop machine comes to its end."""
    assert [line.grade for line in judge_units(lambda *_: None)] == [Grade.WARN, Grade.WARN]
    assert judge_updates(lambda *_: None).grade is Grade.WARN


def test_a_program_that_is_not_there_is_no_answer() -> None:
    """Nor is one that speaks."""
    assert ask_system("vigie-no-such-program") is None
    assert ask_system("echo", "hello") == Answer(0, "hello")
