"""The doctor on a fresh node: one cause has one line, and what follows from it waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from agent.base.clock import SystemClock
from agent.commissioning.examination import Means, examine
from agent.commissioning.line import Grade, Line
from agent.config.model import Config
from agent.identity.node_key import IdentityDirectory
from agent.journal.entry import Act
from agent.journal.register import Register
from agent.node.drivers import open_camera
from agent.ports.host import BoardMetrics
from tests.support.configuration import configured


class _Mute:
    """A board that tells nothing."""

    def read(self) -> BoardMetrics:
        return BoardMetrics()


def examined(config: Config) -> dict[str, Line]:
    """The lines of a doctor who asks no other program."""
    means = Means(
        clock=SystemClock(),
        open_camera=open_camera,
        board=_Mute(),
        identity=IdentityDirectory(config.identity_dir),
        ask=lambda *_: None,
        root=config.node.state_dir,
        look_s=0.5,
    )
    return {line.check: line for line in examine(config, means).lines}


def test_at_first_commissioning_one_line_fails(config: Config) -> None:
    """Neither key nor reference: the view alone fails, with the one command that makes both."""
    lines = examined(config)
    failed = [line for line in lines.values() if line.grade is Grade.FAIL and line.check != "disk"]  # of this machine
    assert [line.check for line in failed] == ["view"]
    assert failed[0].remedy == "take it with `sudo vigie masks validate --by NAME`"
    assert {name: lines[name].grade for name in ("identity", "register", "view guard", "disk speed")} == dict.fromkeys(
        ("identity", "register", "view guard", "disk speed"), Grade.OPEN
    )


def test_a_look_at_the_masks_before_makes_no_second_failure(config: Config) -> None:
    """`vigie masks show` enters itself in the register before there is a key: the view still fails alone."""
    register = Register(config.node.state_dir / "register.jsonl", SystemClock(), node=config.node.id)
    register.enter(Act.STILL_TAKEN, "A. Martin", {"masks": 1})
    lines = examined(config)
    assert {name: lines[name].grade for name in ("view", "identity", "register")} == {
        "view": Grade.FAIL,
        "identity": Grade.OPEN,
        "register": Grade.OPEN,
    }


def test_nothing_is_ok_that_was_not_measured(config: Config) -> None:
    """No picture, no board that tells: what hangs on them is left open, and says what it waits for."""
    dead = structs.replace(config, camera=structs.replace(config.camera, driver="file", source="/nowhere/film.mp4"))
    lines = examined(dead)
    assert lines["camera"].grade is Grade.FAIL
    assert "film" in lines["camera"].remedy
    for name in ("picture size", "view guard"):
        assert lines[name].grade is Grade.OPEN
    for name in ("temperature", "throttling", "supply", "vigie.service"):
        assert lines[name].grade is Grade.OPEN
    assert not {"picture rate", "focus", "exposure"} & {name for name, line in lines.items() if line.grade is Grade.OK}


def test_a_key_that_is_lost_is_a_failure(config: Config) -> None:
    """A node with a register has signed before: then nothing is as at the beginning."""
    config.node.state_dir.mkdir(parents=True)
    (config.node.state_dir / "register.jsonl").touch()
    assert examined(config)["identity"].grade is Grade.FAIL


@pytest.mark.parametrize(
    ("driver", "source", "never"),
    [("rtsp", "rtsp://127.0.0.1:9/x", ("exposure_max_us", "ribbon")), ("file", "/nowhere.mp4", ("cable", "exposure_max_us"))],
)
def test_a_remedy_fits_the_driver(tmp_path: Path, driver: str, source: str, never: tuple[str, ...]) -> None:
    """Nobody is sent to a cable for a film, or to a sensor's setting for a camera that has its own."""
    config = configured(
        {"node": {"id": "a", "state_dir": str(tmp_path / "state")}, "camera": {"driver": driver, "source": source}}
    )
    remedy = examined(config)["camera"].remedy
    assert "camera.source" in remedy
    assert not [word for word in never if word in remedy]
