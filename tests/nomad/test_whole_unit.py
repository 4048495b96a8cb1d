"""A whole nomadic unit as a technician meets it: two deployments in one life of the daemon, and an export over both."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.mask.colour import SOLID_YUV
from tests.support.deadline import until
from tests.support.whole_node import decoded

ROOT = Path(__file__).parents[2]
VIGIE = [sys.executable, "-m", "agent"]
CONFIG = """\
[node]
id = "nomade-3"
role = "nomadic"
state_dir = "state"
[camera]
driver = "synthetic"
width = 320
height = 240
fps = 10
[[privacy.mask]]
name = "window"
polygon = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3], [0.1, 0.3]]
[encoding]
caption = "off"
keyframe_seconds = 1
[recording]
segment_seconds = 3
[console]
enabled = false
[[nomad.perimeter]]
name = "marché"
authorisation = "2026-0412"
until = 2031-01-31
polygon = [[46.7795, 4.8528], [46.7795, 4.8568], [46.7815, 4.8568], [46.7815, 4.8528]]
[[nomad.perimeter]]
name = "gare"
authorisation = "2026-0977"
basis = "event"
until = 2031-01-31
polygon = [[46.7810, 4.8420], [46.7810, 4.8440], [46.7825, 4.8440], [46.7825, 4.8420]]
"""


class Unit:
    """One unit in a directory, its daemon and its commands."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "config.toml"
        self.config.write_text(CONFIG)
        self.log = (directory / "log").open("w")
        self.daemon = subprocess.Popen([*VIGIE, "run", "--config", str(self.config)], stdout=self.log, stderr=self.log, cwd=ROOT)

    def close(self) -> None:
        """The daemon ends, and well."""
        if self.daemon.poll() is None:
            self.daemon.terminate()
        assert self.daemon.wait(60) == 0
        self.log.close()

    def vigie(self, *arguments: str, expect: int = 0) -> str:
        """One command; its output."""
        environment = {**os.environ, "LC_ALL": "C"}
        command = [*VIGIE, *arguments, "--config", str(self.config)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if not expect else done.stdout + done.stderr

    def shown(self) -> dict[str, Any]:
        """`vigie deploy show --json`."""
        found = json.loads(self.vigie("deploy", "show", "--json"))
        assert isinstance(found, dict)
        return found

    def begin(self, perimeter: str, place: str, at: str) -> None:
        """For an hour from now."""
        ends = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
        told = ("--informed-on", "2026-01-02", "--contact", "mairie", "--panel", "2 m", "--by", "A. Martin")
        where = ("--perimeter", perimeter, "--place", place, "--at", at)
        self.vigie("deploy", "begin", *where, "--until", ends, *told)

    def films(self) -> list[Path]:
        """Every segment, oldest first."""
        return sorted((self.directory / "state" / "recordings").rglob("*.mp4"))

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """For as long as a loaded machine may take."""
        until(condition, what)


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    """Switched on, and stowed."""
    made = Unit(tmp_path)
    try:
        made.wait((tmp_path / "state" / "run" / "control.sock").exists, "the daemon answers")
        yield made
        made.close()
    finally:
        if made.daemon.poll() is None:
            made.daemon.kill()
            made.daemon.wait()


def shows_nothing(film: Path) -> bool:
    """Whether each picture is of the solid colour, but for the words that say why: chroma is flat everywhere."""
    return all(
        np.abs(planes.u.astype(int) - SOLID_YUV[1]).max() < 12 and np.abs(planes.v.astype(int) - SOLID_YUV[2]).max() < 12
        for planes in decoded(film)
    )


def test_no_command_opens_a_camera_that_is_dark(unit: Unit, tmp_path: Path) -> None:
    """Stowed, with the daemon stopped: refused in a line, and nothing is drawn; the doctor does not look either."""
    unit.close()
    still = tmp_path / "still.png"
    for command in (("masks", "show", "--out", str(still)), ("masks", "validate"), ("masks", "validate", "--nudge")):
        assert "the camera stays closed: no deployment has been begun" in unit.vigie(*command, "--by", "A. Martin", expect=1)
    assert not still.exists()
    assert "stays closed, and is not looked at" in unit.vigie("doctor", expect=1)


def test_a_number_that_is_none_is_refused_in_words(unit: Unit) -> None:
    """Before anything begins."""
    told = (
        "--informed-on",
        "2026-01-02",
        "--contact",
        "mairie",
        "--panel",
        "2 m",
        "--by",
        "A. Martin",
        "--retention-days",
        "nan",
    )
    where = ("--perimeter", "place", "--place", "post", "--until", "2030-01-01T00:00:00Z")
    assert "'nan' is no number: write one from 1 to 30" in unit.vigie(
        "deploy", "begin", *where, *told, "--retention-days", "nan", expect=2
    )


def test_two_deployments_and_an_export_over_both(unit: Unit, tmp_path: Path) -> None:
    """Dark and opaque periods show nothing, the open one does; two films, two places, two authorisations, and a sheet."""
    begun = datetime.now(UTC)
    assert unit.shown()["stage"] == "stowed"
    assert "closed" in unit.vigie("masks", "validate", "--by", "A. Martin", expect=1)
    assert unit.films() == []
    unit.begin("marché", "mât 4", "46.7803,4.8537")
    assert unit.shown()["deployment"] == "nomade-3-0001"  # the daemon knows already: what is typed next asks it
    unit.wait(lambda: len(unit.films()) > 1, "a covered film")
    assert shows_nothing(unit.films()[0])
    unit.vigie("masks", "validate", "--by", "A. Martin")
    unit.vigie("deploy", "commission", "--by", "A. Martin")
    unit.wait(lambda: unit.shown()["light"] == "open", "it is open")
    opened = len(unit.films())
    unit.wait(lambda: len(unit.films()) > opened + 1, "an open film")
    assert not shows_nothing(unit.films()[opened])
    assert "destroyed on" in unit.vigie("deploy", "end", "--by", "A. Martin")
    unit.wait(lambda: unit.shown()["light"] == "dark", "it is dark")
    first = unit.films()
    unit.begin("gare", "quai 1", "46.7817,4.8431")
    assert "proves nothing here" in unit.vigie("deploy", "commission", "--by", "A. Martin", expect=1)
    unit.wait(lambda: len(unit.films()) > len(first) + 1, "a film of the second")
    unit.vigie("deploy", "end", "--by", "A. Martin")
    unit.wait(lambda: unit.shown()["light"] == "dark", "it is dark again")
    assert all(shows_nothing(film) for film in unit.films()[len(first) : -1])

    span = [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (begun - timedelta(seconds=1), datetime.now(UTC) + timedelta(seconds=1))]
    who = ("--operator", "A. Martin", "--reference", "PV 2026/417", "--json")
    told = json.loads(unit.vigie("export", "--from", span[0], "--to", span[1], "--out", str(tmp_path / "film.mp4"), *who))
    films = [(film["place"], film["authorisation"], Path(film["film"]).name) for film in told["films"]]
    assert films == [("mât 4", "2026-0412", "film-1.mp4"), ("quai 1", "2026-0977", "film-2.mp4")]
    assert shows_nothing(tmp_path / "film-2.mp4")
    assert not shows_nothing(tmp_path / "film-1.mp4")
    unit.vigie("deploy", "sheet", "nomade-3-0001", "--out", str(tmp_path / "sheet.html"))
    sheet = (tmp_path / "sheet.html").read_text()
    assert all(words in sheet for words in ("2026-0412", "L252-1", "mât 4", "A. Martin", "window"))
    entered = unit.vigie("register")
    assert entered.count("deployment-begun") == entered.count("deployment-ended") == 2
