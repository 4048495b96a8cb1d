"""How commands end when somebody ends them: Ctrl-C, and a reader that has seen enough. Real processes, real signals."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.demo.broker import LocalBroker, free_port
from tests.support.deadline import until

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A real one."""
    with LocalBroker(tmp_path / "broker") as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Ends what a failed test leaves."""
    yield
    while STARTED:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(STARTED.pop().pid, signal.SIGKILL)


STARTED: list[subprocess.Popen[str]] = []


def begun(*arguments: str) -> subprocess.Popen[str]:
    """A command in a process group of its own, as a shell starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", *arguments],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    STARTED.append(process)
    return process


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Ctrl-C, as a terminal sends it to the whole group: exit code as a shell shows it, stdout, stderr."""
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    # Python leaves by the signal itself when Ctrl-C met it while it compiled; to a shell both are 130.
    return (130 if process.returncode == -signal.SIGINT else process.returncode), out, err


def has_mapped(process: subprocess.Popen[str], library: str) -> bool:
    """Has it come so far as to load this library?"""
    assert process.poll() is None, process.communicate()
    return library in Path(f"/proc/{process.pid}/maps").read_text()


@pytest.mark.parametrize(
    ("arguments", "at_work"),
    [
        (["run"], ""),
        (["run"], "cv2"),
        (["doctor"], "cv2"),
        (["doctor", "--json"], "cv2"),
        (["masks", "show", "--out", "/dev/null"], "cv2"),
        (["masks", "validate", "--by", "A. Martin"], "cv2"),
    ],
)
def test_ctrl_c_ends_a_command_on_the_node(config: Path, arguments: list[str], at_work: str) -> None:
    """While it loads or at its work: 130, or 0 from a daemon that stopped in order; no traceback and no half document."""
    process = begun(*arguments, "--config", str(config))
    if at_work:
        until(lambda: has_mapped(process, at_work), "it is at work", 30)
    code, out, err = interrupted(process)
    assert code == 130 or (arguments == ["run"] and code == 0), (code, err)
    assert "Traceback" not in out + err, err
    assert "--json" not in arguments or out == ""


def test_ctrl_c_is_heard_where_python_can_only_ignore_it(tmp_path: Path) -> None:
    """In a weak reference's callback, as the import system has many: the command ends all the same, and says nothing of it."""
    script = tmp_path / "command.py"
    script.write_text(
        "import signal, time, weakref\n"
        "from agent.base.process_exit import hear_every_interrupt\n"
        "class Lock: pass\n"
        "hear_every_interrupt()\n"
        "lock = Lock()\n"
        "held = weakref.ref(lock, lambda _: signal.raise_signal(signal.SIGINT))\n"
        "try:\n"
        "    del lock\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    raise SystemExit(130)\n"
    )
    found = subprocess.run(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True
    )
    assert (found.returncode, found.stderr) == (130, "")


def test_ctrl_c_ends_a_benchmark() -> None:
    """130, and no traceback."""
    process = begun("bench", "mask")
    until(lambda: has_mapped(process, "cv2"), "it measures", 30)
    code, out, err = interrupted(process)
    assert code == 130, err
    assert "Traceback" not in out + err, err


def test_ctrl_c_ends_a_simulated_fleet(broker: LocalBroker) -> None:
    """The hub's own process is ended with it, in silence."""
    process = begun("fleet", "simulate", "--nodes", "2", "--broker", broker.url, "--keep")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    until(lambda: process.poll() is not None or children.read_text(), "its hub has a process")
    hubs = [Path(f"/proc/{pid}") for pid in children.read_text().split()]
    code, out, err = interrupted(process)
    assert code == 130, err
    assert "Traceback" not in out + err, err
    until(lambda: not any(hub.exists() for hub in hubs), "the hub's process is gone", 30)


def test_ctrl_c_ends_the_demonstration_with_its_summary(tmp_path: Path) -> None:
    """The node stops in order and the summary is shown: 0."""
    process = begun("demo", "--dir", str(tmp_path / "demo"), "--port", str(free_port()))
    until(lambda: (tmp_path / "demo" / "run" / "control.sock").exists() or process.poll() is not None, "the node runs", 30)
    code, out, err = interrupted(process)
    assert code == 0, err
    assert "Summary" in out
    assert "Traceback" not in out + err, err


def test_watching_ends_with_its_reader(broker: LocalBroker) -> None:
    """`vigie watch --json | head -1`: one line, nothing on stderr, 0."""
    process = begun("watch", "--broker", broker.url, "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("{")
    process.stdout.close()
    broker.kill()  # one more change to tell
    assert process.wait(60) == 0
    assert process.stderr.read() == ""


def test_ctrl_c_ends_watching(broker: LocalBroker) -> None:
    """It has no other end: 0."""
    process = begun("watch", "--broker", broker.url, "--json")
    assert process.stdout is not None
    assert process.stdout.readline()
    code, _, err = interrupted(process)
    assert (code, err) == (0, "")


@pytest.mark.parametrize("content", [None, b"", bytes(range(256)) * 8])
@pytest.mark.parametrize("command", [["doctor", "--json"], ["status", "--json"], ["retention", "sweep", "--json"], ["run"]])
def test_a_configuration_that_is_none_leaves_78_and_nothing_on_stdout(
    tmp_path: Path, command: list[str], content: bytes | None
) -> None:
    """Missing, empty, binary: said on stderr; a program that reads the JSON finds no half of one."""
    config = tmp_path / "config.toml"
    if content is not None:
        config.write_bytes(content)
    process = begun(*command, "--config", str(config))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 78
    assert out == ""
    assert str(config) in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [["check", "--config", "config.example.toml"], ["bench"], ["--help"], ["check", "--help"]])
def test_an_output_that_takes_nothing_is_told_in_one_line(arguments: list[str]) -> None:
    """`> /dev/full`: that the output cannot be written, and 1; no bug is reported."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "agent", *arguments],
            cwd=REPOSITORY,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "vigie: the output cannot be written: no space left on device. Is there room where it goes?"
    ]


@pytest.mark.parametrize("arguments", [["check", "--config"], ["config", "show", "--origin", "--config"]])
def test_a_terminal_that_knows_ascii_alone_is_spoken_to(arguments: list[str], tmp_path: Path) -> None:
    """A serial console without UTF-8, a site with an accent: the command does its work, and is no bug."""
    config = tmp_path / "vigie.toml"
    text = (REPOSITORY / "config.example.toml").read_text(encoding="utf-8")
    config.write_text(text.replace('site = "', 'site = "Mâcon — '), encoding="utf-8")
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    plain.pop("PYTHONIOENCODING", None)
    done = subprocess.run(
        [sys.executable, "-m", "agent", *arguments, str(config)],
        cwd=REPOSITORY,
        env=plain,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
