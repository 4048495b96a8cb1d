"""Signals: no instant at which one hangs the daemon, and none at which it ends otherwise than in order."""

from __future__ import annotations

import logging
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent.base.clock import SystemClock
from agent.base.log_queue import WAITING_MOST, LogQueue
from bench.signals import small_node, storm
from tests.support.deadline import until

REPOSITORY = Path(__file__).parents[2]

AT_EVERY_LINE = """
import os, signal, sys, threading
from agent.base.clock import SystemClock
from agent.node.signals import Wishes
from agent.node.supervisor import Supervisor
from tests.core.test_supervisor import Service

reloads = []
wishes = Wishes()
wishes.catch()
sent = 0

def at_a_line(frame, event, _):
    global sent
    sys.settrace(None)
    sent += 1
    signal.raise_signal(signal.SIGTERM if sent > 3000 else signal.SIGHUP)
    sys.settrace(at_a_line)
    frame.f_trace = at_a_line
    return at_a_line

supervisor = Supervisor([], SystemClock(), Service(), ready=lambda: True)
sys.settrace(at_a_line)
ending = supervisor.run(reload=lambda: reloads.append(1), signals=wishes)
sys.settrace(None)
print(ending.value, len(reloads) > 3)
"""


def test_a_signal_between_any_two_lines_hangs_nothing() -> None:
    """SIGHUP at each line the main thread executes, waits and locks included: it reloads, and SIGTERM still ends it."""
    done = subprocess.run(
        [sys.executable, "-c", AT_EVERY_LINE], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, ["asked", "True"]), done.stderr


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_storm_of_signals_ends_in_order(tmp_path: Path, seed: int) -> None:
    """400 SIGHUPs and a SIGTERM at random instants, from the daemon's first instruction to its last: it leaves with 0."""
    config = small_node(tmp_path)
    assert storm(config, tmp_path / "run.log", random.Random(seed), hups=400).code == 0


FULL_PIPE = """
import os, sys
os.set_blocking(2, False)
try:
    while True:
        os.write(2, b"x" * 512)
except BlockingIOError:
    os.set_blocking(2, True)
os.execv(sys.executable, [sys.executable, "-m", "agent", "run", "--config", sys.argv[1]])
"""


def test_a_full_pipe_holds_up_nobody(tmp_path: Path) -> None:
    """Nobody reads the daemon's log and its pipe is full: it films, and SIGTERM ends it in order."""
    config = small_node(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", FULL_PIPE, str(config)], cwd=REPOSITORY, stderr=subprocess.PIPE)
    try:
        until(lambda: list((tmp_path / "state" / "recordings").rglob("*.mp4")), "it records", 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()


class Blocked(logging.Handler):
    """An outlet that hangs until it is let go, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.let_go.wait(30)
        self.lines.append(record.getMessage())


def test_an_outlet_that_hangs_is_waited_for_by_no_thread() -> None:
    """A journal that hangs: whoever logs goes on, memory stays bounded, and what found no room is counted in words."""
    outlet = Blocked()
    queue = LogQueue(outlet, SystemClock())
    log = logging.Logger("agent.test")
    log.addHandler(queue)
    for number in range(WAITING_MOST + 21):
        log.warning("line %d", number)
    assert 20 <= queue.unwritten <= 21  # one may be in the outlet's hands already
    outlet.let_go.set()
    until(lambda: len(outlet.lines) >= WAITING_MOST, "the outlet writes again", 30)
    log.warning("the last")
    queue.flush()
    assert outlet.lines[0] == "line 0"
    assert outlet.lines[-1] == f"the last ({queue.unwritten} lines before this one could not be written in time)"
    queue.close()
