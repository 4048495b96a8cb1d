"""What doctor, status, watch, check and help look like in both languages: at 60, 80 and 120 columns on a terminal, and piped.

`VIGIE_SNAPSHOTS=write` puts what is printed now in the place of tests/cli/snapshots: look at the difference before it is kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import pytest
from rich.console import Console

from agent.base import language
from agent.base.clock import ClockQuality
from agent.base.errors import CameraError
from agent.base.kernel_clock import KernelClock
from agent.base.paragraph import columns
from agent.base.phrase import say
from agent.cli import run
from agent.cli._manners import WIDEST
from agent.cli.status import _show as show_status
from agent.cli.watch import table_text
from agent.commissioning.board import judge_board
from agent.commissioning.broker import judge_brokers
from agent.commissioning.camera import judge_sight
from agent.commissioning.clock import judge_clock
from agent.commissioning.commands_here import CommandsHere
from agent.commissioning.disk import Room, judge_room
from agent.commissioning.examination import ExaminationReport
from agent.commissioning.line import Line
from agent.commissioning.masks import judge_masks
from agent.commissioning.medium import Medium, judge_medium
from agent.commissioning.printout import Printout
from agent.commissioning.programs import Answer
from agent.commissioning.service import Units, judge_service, judge_updates
from agent.commissioning.sight import Sight
from agent.fleet.feed import FleetFeed
from agent.fleet.table import draw
from agent.identity.node_key import IdentityDirectory
from agent.ports.host import BoardMetrics
from agent.ports.mqtt import BrokerCredentials
from tests.cli.test_status import HEALTH
from tests.fleet.test_feed import NOW, event, status
from tests.support.configuration import configured

SNAPSHOTS = Path(__file__).parent / "snapshots"
WIDTHS = (60, 80, 120)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def doctor(stream: IO[str], nowhere: Path) -> None:
    """A fresh node behind a camera that refuses the password, by a technician with sudo and a file of his own."""
    config = configured(
        {
            "node": {"id": "pole-17", "state_dir": str(nowhere)},
            "camera": {"driver": "rtsp", "source": "rtsp://user@192.0.2.7/main", "width": 1280, "height": 720},
            "privacy": {"mask": [{"name": "flat above the bakery", "polygon": [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3]]}]},
            "encoding": {"bitrate_kbps": 2000},
        }
    )
    refused = CameraError(
        say("camera {camera} {what}", camera="rtsp://192.0.2.7/main", what=say("refuses user or password")),
        remedy=say("Check the user in camera.source and camera.password_file"),
    ).words
    units = Units("enabled", "enabled", "enabled", "inactive")
    clock = judge_clock(0, ClockQuality.HOLDOVER, lambda: KernelClock(False, 0.0, 0.0), lambda *_: None, nowhere)
    metrics = BoardMetrics(temperature_c=75.0, undervoltage=True)
    brokers = judge_brokers(None, BrokerCredentials(), None, datetime(2026, 11, 30, tzinfo=UTC))
    sight = Sight(fault=refused)
    subjects: dict[str, tuple[Line, ...]] = {
        "service": (*judge_service(units, None), judge_updates(lambda *_: Answer(0, ""))),
        "camera": tuple(judge_sight(config.camera, sight)),
        "privacy": tuple(judge_masks(config, IdentityDirectory(nowhere / "identity"), sight)),
        "recording": (judge_medium(Medium("sd", "SC64G")), judge_room(config, Room(20 * 10**9, 18 * 10**9), 0)),
        "clock": tuple(clock),
        "broker": tuple(brokers),
        "board": tuple(judge_board(config.board, metrics)),
    }
    printout = Printout(stream, CommandsHere(Path("/home/technician/trial.toml")))
    for name, lines in subjects.items():
        printout.subject(name, lines)
    printout.verdict(ExaminationReport(config, "2026-11-30T22:00:00Z", False, subjects))


def watch(stream: IO[str], _: Path) -> None:
    """Two nodes, one of which is not there."""
    feed = FleetFeed("vigie")
    for message in (status("offline"), event(7), event(9), status("online", "pole-with-a-long-name")):
        feed.take(message, NOW)
    broker, width = "mqtts://hub.town.fr:8883", columns(stream)
    if width is None:
        stream.write(table_text(feed, broker, "", NOW, width))
        return
    Console(file=stream, width=width, force_terminal=False).print(draw(feed, broker, "", NOW, width=width))


CHECKED = """\
[node]
id = "pole-17"
site = "place du marché, côté boulangerie"
state_dir = "/nowhere/state"
[camera]
driver = "synthetic"
width = 1280
height = 720
fps = 12.5
[recording]
retention_days = 2.5
[[privacy.mask]]
name = "flat above the bakery"
polygon = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3]]
"""


def check(stream: IO[str], nowhere: Path) -> None:
    """One that a node can run with, and then one with three mistakes."""
    (nowhere / "config.toml").write_text(CHECKED)
    wrong = CHECKED.replace('"pole-17"', "pole-17").replace("1280", "1281").replace("0.3, 0.3", "0.3, 1.3")
    (nowhere / "wrong.toml").write_text(wrong)
    with contextlib.chdir(nowhere):
        assert run(["check", "config.toml"]) == 0
        with contextlib.redirect_stderr(stream):
            assert run(["check", "wrong.toml"]) == 78


def test_in_a_pipe_no_line_ends_in_blanks_and_the_last_one_is_ended() -> None:
    """What is copied or compared has no blanks that nobody sees."""
    piped = [path.read_text(encoding="utf-8") for path in SNAPSHOTS.glob("*-piped.txt")]
    assert len(piped) > 10
    assert [text for text in piped if not text.endswith("\n") or any(line != line.rstrip(" ") for line in text.split("\n"))] == []


def help_of(*command: str) -> Callable[[IO[str], Path], None]:
    """What `--help` of a command prints."""

    def show(_: IO[str], __: Path) -> None:
        assert run([*command, "--help"]) == 0

    return show


SHOWN: dict[str, Callable[[IO[str], Path], None]] = {
    "doctor": doctor,
    "status": lambda *_: show_status(HEALTH | {"config_trouble": "line 7 is wrong"}, verbose=False),
    "status-v": lambda *_: show_status(HEALTH, verbose=True),
    "watch": watch,
    "check": check,
    "help": help_of(),
    "help-export": help_of("export"),
    "help-masks-validate": help_of("masks", "validate"),
}


@contextmanager
def terminal(width: int) -> Iterator[tuple[IO[str], list[bytes]]]:
    """A pseudo-terminal so wide; what was written to it, once it is closed."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    written: list[bytes] = []

    def read() -> None:
        """It holds 4 KiB: read while it is written to, until its other end is closed."""
        try:
            while piece := os.read(ours, 1 << 16):
                written.append(piece)
        except OSError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield stream, written
    reader.join()
    os.close(ours)


def piped(show: Callable[[IO[str], Path], None], nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a pipe gets."""
    stream = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        show(stream, nowhere)
    return stream.getvalue()


def compare(name: str, text: str) -> None:
    """With what was kept."""
    kept = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("VIGIE_SNAPSHOTS") == "write":
        SNAPSHOTS.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8")


@pytest.fixture(params=["", "fr-"], ids=["english", "french"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Whoever reads it, as the names of their snapshots begin."""
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8" if request.param else "C")
    monkeypatch.delenv("COLUMNS", raising=False)
    language.begin()
    yield request.param
    language.end()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SHOWN)
def test_on_a_terminal_and_with_columns_set(
    name: str, width: int, reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words at the same places, on the terminal in colour; no line is wider, but for a command that cannot be broken."""
    with terminal(width) as (stream, written), monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stream)
        SHOWN[name](stream, tmp_path)
    shown = ESCAPES.sub("", b"".join(written).decode())
    compare(f"{reader}{name}-{width}", shown)
    for line in shown.splitlines() if name != "check" else ():  # a finding is one line, as compilers have it
        assert len(line) <= width or re.fullmatch(r" *`[^`]+`[,.;]?| {4}(sudo )?vigie .*", line), line
    monkeypatch.setenv("COLUMNS", str(width))
    language.begin()
    if not (name.startswith("help") and width > WIDEST):  # on a terminal help is never wider, unless COLUMNS asks for it
        assert piped(SHOWN[name], tmp_path, monkeypatch) == shown


@pytest.mark.parametrize("name", SHOWN)
def test_in_a_pipe(name: str, reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No colour, no broken line: every command can be copied and searched for."""
    said = piped(SHOWN[name], tmp_path, monkeypatch)
    assert not ESCAPES.search(said)
    assert said.endswith("\n")
    compare(f"{reader}{name}-piped", said)
    for command in re.findall(r"`[^`]*`", said):
        assert "\n" not in command
