"""What a person meets when something is wrong: one clear line that says what, where and what to do; never a traceback."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.base.errors import DeviceError
from agent.operations.control_socket import ask
from tests.support.deadline import until
from tests.support.small_disk import small_disk
from tests.support.whole_node import WholeNode

REFUSED = 78


def health(node: WholeNode) -> dict[str, Any]:
    """What the running node says of itself; empty while it does not answer."""
    try:
        return ask(node.directory / "state", "status")
    except DeviceError:
        return {}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[WholeNode, list[subprocess.Popen[str]]]]:
    """A node, and the processes to end afterwards."""
    started: list[subprocess.Popen[str]] = []
    yield WholeNode(tmp_path), started
    for process in started:
        process.terminate()
        assert process.wait(120) == 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("polygon = [[0.1, 0.1], [0.2, 0.1]]", "at least three corners"),
        ("polygon = [[0.1, 0.1], [1.2, 0.1], [0.2, 0.3]]", "from 0 .* to 1"),
        ("polygon = [[0.1, 0.1], [0.3, 0.3], [0.3, 0.1], [0.1, 0.3]]", "crosses"),
        ("polygon = [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]", "no inside"),
    ],
)
def test_an_illegal_polygon_is_refused_in_its_place(tmp_path: Path, wrong: str, words: str) -> None:
    """The daemon does not start (78); file, line and what would be right are said."""
    node = WholeNode(tmp_path, masks=False)
    config = node.write()
    config.write_text(config.read_text() + f'\n[[privacy.mask]]\nname = "a"\n{wrong}\n')
    line = config.read_text().splitlines().index(wrong) + 1
    for command in ("run", "check"):
        done = node.vigie(command, "--config", str(config), expect=REFUSED)
        said = done.stdout + done.stderr
        assert re.search(words, said), said
        assert f"{config}:{line}" in said


def test_a_missing_film_is_named_and_waited_for(running: tuple[WholeNode, list[subprocess.Popen[str]]]) -> None:
    """No film yet: the daemon runs, says so in the log and in health, and films once it is there."""
    node, started = running
    film = node.directory / "later.avi"
    config = node.write(realtime=True, loop=True)
    text = re.sub(r'source = ".*"', f'source = "{film}"', config.read_text())
    config.write_text(text.replace('driver = "synthetic"', f'driver = "file"\nsource = "{film}"'))
    started.append(node.start())
    until(lambda: str(film) in node.log(), "the log names the film")
    until(lambda: health(node).get("camera", {}).get("state") == "silent", "health says that the camera is silent")
    until(lambda: str(film) in health(node)["camera"]["reason"], "health says why")
    make = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=768x576:rate=10", "-t", "5", "-c:v", "mpeg4"]
    subprocess.run([*make, str(node.directory / "half.avi")], check=True)
    (node.directory / "half.avi").rename(film)
    until(lambda: health(node).get("camera", {}).get("state") == "delivering", "the camera delivers")
    assert health(node)["camera"]["reason"] == ""


def test_a_broken_film_is_explained(running: tuple[WholeNode, list[subprocess.Popen[str]]]) -> None:
    """A file that is no film: one line with its name, no traceback, and the daemon lives on."""
    node, started = running
    film = node.directory / "broken.avi"
    film.write_bytes(os.urandom(50_000))
    config = node.write()
    text = re.sub(r'source = ".*"', f'source = "{film}"', config.read_text())
    config.write_text(text.replace('driver = "synthetic"', f'driver = "file"\nsource = "{film}"'))
    started.append(node.start())
    until(lambda: str(film) in node.log(), "the log names the film")
    assert "Traceback" not in node.log()
    assert started[0].poll() is None


def test_an_unreachable_broker_stops_nothing(running: tuple[WholeNode, list[subprocess.Popen[str]]]) -> None:
    """Nobody listens at the broker's address: the node records, events wait, and health says why in words."""
    node, started = running
    node.write(realtime=True, loop=True)
    node.validate()
    started.append(node.start())
    until(lambda: health(node).get("recording", {}).get("state") == "recording", "it records")
    until(lambda: health(node).get("outbox", {}).get("pending", 0) > 3, "events wait")
    until(lambda: "nobody listens" in str(health(node).get("uplink", {}).get("reason")), "health says why")


@pytest.mark.lane("root")
def test_a_full_disk_is_said_and_survived(running: tuple[WholeNode, list[subprocess.Popen[str]]]) -> None:
    """The recordings' disk is full: the daemon runs, says so, and records again when there is room."""
    node, started = running
    with small_disk(node.directory / "disk", megabytes=48) as disk:
        node.tables["recording"] = f'directory = "{disk}"'
        config = node.write(realtime=True, loop=True)
        config.write_text(config.read_text().replace("min_free_mb = 64", "min_free_mb = 0"))
        node.validate()
        ballast = disk / "somebody-elses-file"
        with ballast.open("wb") as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        started.append(node.start())
        until(lambda: health(node).get("recording", {}).get("state") == "failing", "health says that recording fails")
        until(lambda: re.search("no space|full", node.log(), re.IGNORECASE) is not None, "the log says why")
        ballast.unlink()
        until(lambda: health(node).get("recording", {}).get("state") == "recording", "it records again")
        assert "Traceback" not in node.log()
        started.pop().terminate()


@pytest.mark.parametrize("where", ["state", "recordings"])
def test_a_directory_that_cannot_be_written_is_tried_again(tmp_path: Path, where: str) -> None:
    """1 with directory and remedy, not 78: a disk may be mounted later, and systemd never restarts after 78."""
    node = WholeNode(tmp_path)
    node.tables["recording"] = f'directory = "{tmp_path / "recordings"}"'
    (tmp_path / where).write_text("in the way")
    config = node.write()
    done = node.vigie("run", "--config", str(config), expect=1)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("vigie: ")]
    assert f"{tmp_path / where}" in line
    assert "give it to the user the daemon runs as" in line.lower()


def test_masks_of_another_resolution_close_the_picture(tmp_path: Path) -> None:
    """Validated at one size, run at another: every picture is closed, and the reason names it."""
    node = WholeNode(tmp_path)
    config = node.write()
    node.validate()
    config.write_text(config.read_text().replace("width = 768", "width = 640").replace("height = 576", "height = 480"))
    summary = node.run("--for", "3")
    assert summary["opaque"] == summary["masked"] > 10


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def test_pipes_in_the_place_of_its_files_keep_a_node_from_nothing(tmp_path: Path) -> None:
    """A pipe nobody writes to would block whoever opens it: the node starts, films with the picture closed, and ends in time."""
    node = WholeNode(tmp_path)
    node.write()
    node.validate()
    node.run("--for", "1")
    state = tmp_path / "state"
    named = ["view/reference.json", "register.head", "register.sent", "config.last-good.toml", "outbox.mark"]
    for path in [*(state / name for name in named), *state.glob("recordings/**/*.mp4"), *state.glob("catalog.sqlite3.*")]:
        _pipe(path)
    summary = node.run("--for", "3")
    assert summary["opaque"] == summary["masked"] > 10
    assert summary["recorded"] > 10


@pytest.mark.parametrize("name", ["identity/key.pem", "identity/chain.pem", "catalog.sqlite3"])
def test_a_pipe_where_a_node_cannot_do_without_its_file_is_refused_at_start(tmp_path: Path, name: str) -> None:
    """No key, no certificate, no catalog: one line that names the file, at once."""
    node = WholeNode(tmp_path)
    node.write()
    node.validate()
    node.run("--for", "1")
    _pipe(tmp_path / "state" / name)
    done = node.vigie("run", "--config", str(node.config), "--for", "3", expect=1, timeout_s=60)
    assert str(tmp_path / "state" / name) in done.stderr
