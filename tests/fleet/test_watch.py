"""`vigie watch` against a real broker and a real node."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from agent.demo.broker import LocalBroker
from agent.ports.event import Event, Priority, PropertyOperation
from tests.support.independent_hub import Subscriber
from tests.support.uplink_node import UplinkNode


def watch(broker: LocalBroker, *more: str) -> subprocess.Popen[str]:
    """The command, as a user starts it."""
    arguments = [sys.executable, "-m", "agent", "watch", "--broker", broker.url, *more]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_streams_one_document_per_change(tmp_path: Path) -> None:
    """`--json` tells of the birth, the alarm with its sequence, and the goodbye, one document a line."""
    with LocalBroker(tmp_path / "broker") as broker:
        watcher = watch(broker, "--json", "--for", "30")
        node = UplinkNode(tmp_path / "node", broker.url)
        seen: list[dict[str, object]] = []
        assert watcher.stdout is not None
        node_started = False
        for line in watcher.stdout:
            seen.append(json.loads(line))
            if not node_started:
                node.start()
                node.raise_alarm(1)
                node_started = True
            if any(c.get("change") == "alarm" and c.get("Data") == {"Number": 1} for c in seen):
                node.stop()
            if any(c.get("state") == "stopping" for c in seen):
                break
        watcher.terminate()
        watcher.communicate(timeout=120)
    kinds = [c["change"] for c in seen]
    assert {"broker", "status", "alarm"} <= set(kinds)
    alarm = next(c for c in seen if c["change"] == "alarm" and c.get("Data") == {"Number": 1})
    assert alarm["node"] == "pole-1"
    assert alarm["sequence"] == 2  # the first event of a node's life tells of its epoch


def test_a_watch_that_comes_late_learns_what_stands(tmp_path: Path) -> None:
    """A node lost its signal before anybody watched: the stream tells the state, and no alarm."""
    with LocalBroker(tmp_path / "broker") as broker:
        early = Subscriber(broker.port, "early")
        node = UplinkNode(tmp_path / "node", broker.url)
        node.start()
        lost, now_ns = PropertyOperation.CHANGED, node.clock.wall_ns()
        node.outbox.raise_event(
            Event("VideoSource/SignalLoss", now_ns, {"Source": "front"}, {"State": True}, lost, Priority.ALARM)
        )
        early.wait_for(lambda heard: any("SignalLoss" in h.topic for h in heard))
        early.close()
        watcher = watch(broker, "--json", "--for", "30")
        assert watcher.stdout is not None
        none: dict[str, object] = {}
        told = next((c for c in map(json.loads, watcher.stdout) if "SignalLoss" in c.get("topic", "")), none)
        watcher.terminate()
        watcher.communicate(timeout=120)
        node.stop()
    assert (told.get("change"), told.get("Data")) == ("state", {"State": True})


def test_a_wrong_url_is_one_clear_line(tmp_path: Path) -> None:
    """Wrong usage leaves with 2 and says what would be right."""
    done = subprocess.run(
        [sys.executable, "-m", "agent", "watch", "--broker", "http://x"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "mqtt://" in done.stderr
    assert "Traceback" not in done.stderr


def test_draws_a_table(tmp_path: Path) -> None:
    """Without `--json` the node stands in a table when the time is up."""
    with LocalBroker(tmp_path / "broker") as broker:
        node = UplinkNode(tmp_path / "node", broker.url)
        node.start()
        out, err = watch(broker, "--for", "3").communicate(timeout=120)
        node.stop()
    assert "pole-1" in out, err
    assert "online" in out


def test_in_a_pipe_it_says_when_the_table_comes_and_sigterm_brings_it(tmp_path: Path) -> None:
    """Whoever waits before an empty screen is told why, and whoever ends it sees what was found."""
    with LocalBroker(tmp_path / "broker") as broker:
        watcher = watch(broker)
        assert watcher.stderr is not None
        assert "--json" in watcher.stderr.readline()
        watcher.terminate()
        out, _ = watcher.communicate(timeout=120)
    assert watcher.returncode == 0
    assert broker.url in out
