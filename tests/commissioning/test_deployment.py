"""What the doctor says of a unit that is moved: authorisations, the deployment, and sensors that do not tell."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agent.commissioning.deployment import judge_deployment
from agent.commissioning.line import Grade, Line
from agent.config.model import Config
from agent.nomad.store import DeploymentStore
from tests.support.nomad_unit import NomadUnit, nomadic

TODAY = date(2026, 12, 1)
SENSORS = {"gps": "gpsd", "modem": "modemmanager", "battery": "upower", "tilt": "iio"}


def lines(config: Config, health: dict[str, Any] | None = None, today: date = TODAY) -> dict[str, Line]:
    """By their names; each that is not in order has a remedy."""
    found = list(judge_deployment(config, health, today))
    assert all(line.remedy for line in found if line.grade in (Grade.WARN, Grade.FAIL))
    return {line.check: line for line in found}


def graded(config: Config, **nomad: Any) -> dict[str, tuple[str, str]]:
    """Of a running unit: grade and words."""
    told = {"stage": "deployed", "deployment": "nomade-3-0001", "until": "2026-12-24T22:00:00Z", "light": "open", **nomad}
    return {name: (line.grade.word, str(line.measured)) for name, line in lines(config, {"nomad": told}).items()}


def with_sensors(config: Config) -> Config:
    """Each of the four drivers is on."""
    return replace(config, nomad=replace(config.nomad, **SENSORS))


@pytest.mark.parametrize(
    ("today", "grade", "words"),
    [
        (date(2026, 12, 1), Grade.OK, "place, until"),
        (date(2031, 1, 20), Grade.WARN, "ends on 2031-01-31"),
        (date(2031, 2, 1), Grade.FAIL, "ended on 2031-01-31"),
    ],
)
def test_an_authorisation_is_told_before_and_after_its_end(today: date, grade: Grade, words: str) -> None:
    """Weeks before, so that it can be renewed; afterwards nothing may begin."""
    line = lines(nomadic(), today=today)["authorisation"]
    assert (line.grade, words in str(line.measured)) == (grade, True), line


def test_one_place_that_still_holds_is_no_failure() -> None:
    """One has ended, the other ends soon: two warnings, and units can be put up at the second."""
    (place,) = nomadic().nomad.perimeter
    config = replace(nomadic(), nomad=replace(nomadic().nomad, perimeter=(place, replace(place, until=date(2031, 3, 1)))))
    assert [line.grade for line in judge_deployment(config, None, date(2031, 2, 20))][:2] == [Grade.WARN, Grade.WARN]


def test_without_the_daemon_the_disk_tells_of_a_deployment(tmp_path: Path) -> None:
    """None yet, one that waits, a record that cannot be believed: said, and judged no further than that."""
    unit = NomadUnit(tmp_path)
    config = nomadic(node={"id": "nomade-3", "role": "nomadic", "state_dir": str(unit.store.folder.parent)})
    assert "vigie deploy begin" in str(lines(config)["deployment"].measured)
    unit.begin()
    line = lines(config)["deployment"]
    assert (line.grade, "waits for the daemon" in str(line.measured)) == (Grade.OPEN, True)
    unit.acts.end("A. Martin", "rain")
    assert "is over: rain" in str(lines(config)["deployment"].measured)
    DeploymentStore(unit.store.folder.parent).spoil(1)
    assert lines(config)["deployment"].grade is Grade.FAIL


def test_a_unit_that_is_not_commissioned_is_told_what_is_missing() -> None:
    """The two commands, in their order."""
    line = lines(nomadic(), {"nomad": {"stage": "placed", "deployment": "n-1", "light": "opaque", "why": "no masks"}})[
        "deployment"
    ]
    assert line.grade is Grade.WARN
    assert str(line.remedy).index("masks validate") < str(line.remedy).index("deploy commission")


def test_all_well_is_one_line_each() -> None:
    """Open, located, on the line, charged."""
    found = graded(
        with_sensors(nomadic()),
        position={"latitude": 46.78, "longitude": 4.85},
        link={"state": "connected", "sim": "ready", "technology": "LTE", "operator": "Orange", "signal_percent": 70},
        power={"percent": 88.0, "mains": False},
    )
    assert {name: grade for name, (grade, _) in found.items()} == dict.fromkeys(
        ("authorisation", "deployment", "position", "modem", "battery"), "ok"
    )


@pytest.mark.parametrize(
    ("told", "name", "grade", "words"),
    [
        ({"position": {"fault": "no fix"}}, "position", "warn", "does not know where it is"),
        ({"position": {"fault": "gpsd does not answer. Start it"}}, "position", "warn", "gpsd does not answer"),
        (
            {"position": {"latitude": 46.0, "longitude": 4.0, "moved": "it was moved by 300 m"}},
            "position",
            "fail",
            "moved by 300 m",
        ),
        ({"position": {"tilted": "it hangs 9 degrees askew"}}, "tilt", "fail", "9 degrees"),
        ({"link": {"sim": "missing"}}, "modem", "fail", "no SIM card"),
        ({"link": {"sim": "locked"}}, "modem", "fail", "locked"),
        ({"link": {"sim": "ready", "state": "searching"}}, "modem", "warn", "searching"),
        ({"link": {"fault": "there is no modem"}}, "modem", "warn", "there is no modem"),
        ({"power": {"fault": "its gauge lies: 104 %"}}, "battery", "warn", "104 %"),
        ({"power": {"percent": 20.0, "mains": False}}, "battery", "warn", "20 % charged"),
        ({"power": {}}, "battery", "open", "tells no charge"),
    ],
)
def test_a_sensor_that_is_amiss_is_one_line_with_a_remedy(told: dict[str, Any], name: str, grade: str, words: str) -> None:
    """What it is, in words."""
    found = graded(with_sensors(nomadic()), **told)[name]
    assert (found[0], words in found[1]) == (grade, True), found
