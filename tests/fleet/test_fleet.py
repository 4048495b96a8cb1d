"""`vigie fleet simulate` against a real broker."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agent.demo.broker import LocalBroker, free_port
from tests.support.independent_hub import Subscriber


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, as a user runs it."""
    return subprocess.run(
        [sys.executable, "-m", "agent", "fleet", "simulate", *arguments], capture_output=True, text=True, timeout=120
    )


def test_a_fleet_in_bad_weather_loses_nothing(tmp_path: Path) -> None:
    """Storms, restarts and cut lines: every event is heard, the table of figures is whole, nothing retained stays."""
    with LocalBroker(tmp_path / "broker", settings="allow_anonymous true\nmax_queued_messages 0") as broker:
        done = simulate(
            *("--nodes", "20", "--broker", broker.url, "--for", "8", "--events", "3600", "--churn", "200"),
            *("--outages", "100", "--storms", "2000", "--health", "2", "--json"),
        )
        late = Subscriber(broker.port, "late")
        late.client.publish("end", b"", 1)
        late.wait_for(lambda heard: any(h.topic == "end" for h in heard))
        left = [h.topic for h in late.heard if h.retain]
        late.close()
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["lossless"]
    assert outcome["delivered"] == outcome["raised"] > 100
    assert outcome["gaps"] == outcome["dropped"] == outcome["pending"] == 0
    assert outcome["alarms_delivered"] == outcome["alarms_raised"]
    assert outcome["restarts"] > 0
    assert outcome["outages"] > 0
    assert outcome["storms"] > 0
    assert {"p50", "p99"} <= set(outcome["latency_ms"])
    assert outcome["bytes_per_node"] > 0
    assert left == []


@pytest.mark.parametrize(
    ("scheme", "more", "cause"), [("mqtt", [], "nobody listens"), ("mqtts", ["--ca-file", "/nope"], "/nope is missing")]
)
def test_why_a_broker_cannot_be_used_is_said(scheme: str, more: list[str], cause: str) -> None:
    """One clear line with the cause, no traceback."""
    done = simulate("--nodes", "1", "--broker", f"{scheme}://127.0.0.1:{free_port()}", "--for", "1", *more)
    assert done.returncode == 1
    assert cause in done.stderr
    assert len(done.stderr.splitlines()) == 1
