"""`vigie run` becomes the daemon: the same process, and nothing of the command line left in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deadline import until

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def running(config: Path) -> Iterator[subprocess.Popen[str]]:
    """It, from its first instruction on; killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "run", "--config", str(config)], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def as_told(process: subprocess.Popen[str], name: str) -> str:
    """What the kernel knows of the process."""
    return Path(f"/proc/{process.pid}/{name}").read_bytes().replace(b"\0", b" ").decode()


def test_it_keeps_its_process_and_has_a_name(running: subprocess.Popen[str], config: Path) -> None:
    """Who started it, systemd too, watches the same process; `top` calls it vigie, and it ends in order."""
    until((config.parent / "state" / "run" / "control.sock").exists, "the node runs", 30)
    assert "-OO" in as_told(running, "cmdline")
    assert f"-m agent.node.daemon --config {config}" in as_told(running, "cmdline")
    assert as_told(running, "comm").strip() == "vigie"
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0


def test_no_signal_is_lost_while_it_changes(running: subprocess.Popen[str]) -> None:
    """SIGTERM as soon as it is the daemon: it ends in order, however early that was."""
    until(lambda: "agent.node.daemon" in as_told(running, "cmdline"), "it is the daemon", 30)
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0


def test_it_imports_nothing_from_where_it_was_started(tmp_path: Path, config: Path) -> None:
    """A directory that holds a package of the same name is no part of an installed node."""
    (tmp_path / "agent").mkdir()
    for name in ("__init__.py", "daemon.py", "wiring.py"):
        (tmp_path / "agent" / name).write_text(f"open({str(tmp_path / 'taken')!r}, 'w').close()\n")
    started = [sys.executable, "-P", "-c", "import sys; from agent.cli import run; sys.exit(run(sys.argv[1:]))"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [*started, "run", "--config", str(config), "--for", "0.5"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "taken").exists()
