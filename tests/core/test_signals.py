"""Signals: no instant at which one hangs the daemon, and none at which it ends otherwise than in order."""

from __future__ import annotations

import logging
import random
import re
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
from agent.node.signals import SignalListener, hold_back
from agent.node.supervisor import Supervisor
from tests.core.test_supervisor import Service

reloads = []
hold_back()
listener = SignalListener()
listener.keep()
sent = 0

def at_a_line(frame, event, _):
    global sent
    sys.settrace(None)
    sent += 1
    os.kill(os.getpid(), signal.SIGTERM if sent > 3000 else signal.SIGHUP)
    sys.settrace(at_a_line)
    frame.f_trace = at_a_line
    return at_a_line

supervisor = Supervisor([], SystemClock(), Service(), ready=lambda: True)
sys.settrace(at_a_line)
ending = supervisor.run(reload=lambda: reloads.append(1), signals=listener.wishes)
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


AT_AN_INSTANT = """
import ctypes, importlib.abc, os, runpy, signal, sys, threading

# As `vigie run` hands over at its exec.
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
at, *arguments = sys.argv[1:]
sys.argv[1:] = arguments

def reached(instant):
    os.kill(os.getpid(), signal.SIGHUP)
    if instant == at:
        os.kill(os.getpid(), signal.SIGTERM)

class Imports(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        reached("import " + name)
        return None

def announced(kind, name, named=lambda self: ""):
    inner = getattr(kind, name)
    def outer(self, *given, **more):
        reached(f"{name} {named(self)}".strip())
        return inner(self, *given, **more)
    setattr(kind, name, outer)

def storm():
    for _ in range(20):
        os.kill(os.getpid(), signal.SIGHUP)
        threading.Event().wait(0.01)

def apply_with_a_library(self):
    threading.Thread(target=storm).start()
    if ctypes.CDLL(None).poll(None, 0, 300) != 0:
        print("a library was interrupted", file=sys.stderr)
    load_again(self)

sys.meta_path.insert(0, Imports())
if not at.startswith("import"):
    from agent.base.component import Component
    from agent.node.reload import NodeReload
    announced(Component, "start", lambda component: component.name)
    announced(Component, "stop", lambda component: component.name)
    announced(NodeReload, "apply")
    load_again, NodeReload.apply = NodeReload.apply, apply_with_a_library
leave = os._exit
os._exit = lambda code: (reached("exit"), leave(code))
runpy.run_module("agent.node.daemon", run_name="__main__", alter_sys=True)
"""
"""The daemon with SIGHUP at every import, start and stop of a component, and at its exit; SIGTERM at one of them."""


def live(config: Path, at: str) -> subprocess.CompletedProcess[str]:
    """One life of at most a second after everything is started, with SIGTERM at this instant."""
    command = [sys.executable, "-c", AT_AN_INSTANT, at, "--config", str(config), "--for", "1"]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)


def test_sigterm_at_any_instant_ends_with_0(tmp_path: Path) -> None:
    """SIGTERM at each step of start, life and end, one life after the other over one state: 0, no traceback, no broken call."""
    config = small_node(tmp_path)
    for at in (
        *("import agent.node.wiring", "start outbox", "start recorder", "start control"),
        *("apply", "stop camera", "stop recorder", "exit"),
    ):
        done = live(config, at)
        told = [words for words in ("Traceback", "ignored", "internal error", "interrupted") if words in done.stderr]
        assert (at, done.returncode, told) == (at, 0, []), done.stderr


def test_a_stop_before_anything_is_held_leaves_at_once(tmp_path: Path) -> None:
    """SIGTERM while the daemon still reads its own code: it takes up neither state directory nor camera first."""
    config = small_node(tmp_path)
    assert live(config, "import agent.node.house").returncode == 0
    assert not (tmp_path / "state" / "run").exists()


def test_a_node_lives_again_on_what_it_signed(tmp_path: Path) -> None:
    """Asked to stop once it has recorded and signed, a node starts again over the link that it left."""
    config = small_node(tmp_path)
    command = [sys.executable, "-m", "agent", "run", "--config", str(config)]
    with subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL) as node:
        until(lambda: list((tmp_path / "state" / "recordings").rglob("*.mp4")), "it records", 60)
        node.send_signal(signal.SIGTERM)
        assert node.wait(60) == 0
    assert (tmp_path / "state" / "signing.json").exists()
    again = subprocess.run([*command, "--for", "1"], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr


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


@pytest.mark.parametrize(("what", "code"), [("configuration", 78), ("directory", 1)])
def test_a_full_pipe_holds_up_no_start_that_fails(tmp_path: Path, what: str, code: int) -> None:
    """What it refuses cannot be told, since nobody reads: it ends all the same, and its exit code says it."""
    config = small_node(tmp_path)
    if what == "configuration":
        config.write_text(config.read_text(encoding="utf-8") + "\n[nothing]\n", encoding="utf-8")
    else:
        (tmp_path / "state").rename(tmp_path / "elsewhere")
        (tmp_path / "state").write_bytes(b"")
    process = subprocess.Popen([sys.executable, "-c", FULL_PIPE, str(config)], cwd=REPOSITORY, stderr=subprocess.PIPE)
    try:
        assert process.wait(60) == code
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
    assert re.fullmatch(r"the last \(\d+ lines before this one could not be written in time\)", outlet.lines[-1])
    told = re.findall(r"\((\d+) lines before this one", "\n".join(outlet.lines))  # twice where the outlet took one in between
    assert sum(map(int, told)) == queue.unwritten
    queue.close()
