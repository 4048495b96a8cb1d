"""Idle connections by the thousand at a node's two doors: whether it films, records, sweeps and answers meanwhile.

Options: --connections 1100, --seconds 60. Half of them say nothing, half begin a request and do not end it; each that is
shown out comes again.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.base.errors import DeviceError
from agent.demo.broker import free_port
from agent.node.drivers import drawn_windows
from agent.operations.control_socket import ask, socket_path
from bench.filming_node import Tables, commission, write

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 60.0


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Crowd both doors, count; prints the figures and returns them."""
    connections, seconds = int(str(options.get("connections", 1100))), float(str(options.get("seconds", 60)))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="vigie-visitors-") as name:
        result = crowd(Path(name), connections, seconds)
    for key, value in result.items():
        print(f"{key:<20} {value}")
    return result


def crowd(directory: Path, connections: int, seconds: float) -> dict[str, Any]:
    """The figures: `lost` and `dropped` frames, and refused questions, must be zero."""
    port, summary = free_port(), directory / "summary.json"
    tables: Tables = {
        "node": {"id": "pole-7", "state_dir": directory / "state"},
        "camera": {"driver": "synthetic", "width": 640, "height": 360, "fps": 10},
        "recording": {"segment_seconds": 5},
        "console": {"port": port},
    }
    config = write(directory / "config.toml", tables, drawn_windows())
    commission(config)
    vigie = [sys.executable, "-m", "agent"]
    with (directory / "run.log").open("wb") as log:
        node = subprocess.Popen([*vigie, "run", "--config", str(config), "--summary", str(summary)], cwd=ROOT, stderr=log)
        state = directory / "state"
        _wait_for(lambda: _answers(state), "the node answers")
        page, door = _page(port), socket_path(state)
        idle = [page() for _ in range(connections)] + [_knock(door) for _ in range(connections)]
        asked = refused = again = 0
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked += 1
            refused += not _answers(state)
            for number, client in enumerate(idle):
                if client is None or _is_shut(client):
                    again += 1
                    idle[number] = page() if number < connections else _knock(door)
        swept = subprocess.run(
            [*vigie, "retention", "sweep", "--config", str(config)], cwd=ROOT, capture_output=True, check=False
        )
        node.send_signal(signal.SIGTERM)
        code = node.wait(PATIENCE_S)
    told = json.loads(summary.read_text())
    return {
        "connections": 2 * connections,
        "came_again": again,
        "frames": told["captured"],
        "dropped": told["dropped"],
        "lost": told["lost"],
        "recorded": told["recorded"],
        "status_asked": asked,
        "status_refused": refused,
        "sweep_code": swept.returncode,
        "code": code,
    }


def _page(port: int) -> Callable[[], socket.socket | None]:
    def come() -> socket.socket | None:
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=5)
            client.sendall(b"GET / HTTP/1.1\r\nHost: ")
        except OSError:
            return None
        client.setblocking(False)
        return client

    return come


def _knock(door: Path) -> socket.socket | None:
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    try:
        client.connect(str(door))
    except OSError:
        client.close()
        return None
    return client


def _is_shut(client: socket.socket) -> bool:
    try:
        shut = client.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        shut = True
    if shut:
        client.close()
    return shut


def _answers(state: Path) -> bool:
    with contextlib.suppress(DeviceError):
        return bool(ask(state, "status"))
    return False


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"not in {PATIENCE_S:g} s: {what}")
        time.sleep(0.1)
