"""A whole node killed (kill -9) at random instants: which segments play, which events the centre misses.

Options: --kills 50, --seed 1, --directory DIR (kept). The node films a drawn square with busy walkers, records, and
reports to a mosquitto on loopback; a subscriber of its own, with a session the broker keeps, plays the centre.
"""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import av.error

from agent.demo.broker import LocalBroker
from agent.fleet.listener import FleetListener
from agent.fleet.wiring import transport
from agent.node.drivers import drawn_windows
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, Received
from bench.filming_node import Tables, commission, write

ROOT = Path(__file__).resolve().parents[1]
LATEST_KILL_S = 4.0
DRAIN_S = 20.0


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Kill, restart, kill...; then let the last one finish in order, and count."""
    kills, seed = int(str(options.get("kills", 50))), int(str(options.get("seed", 1)))
    kept = options.get("directory")
    with tempfile.TemporaryDirectory(prefix="vigie-crash-") as name:
        result = crash(Path(str(kept)) if kept else Path(name), kills, seed)
    for key, value in result.items():
        print(f"{key:<28} {value}")
    return result


def crash(directory: Path, kills: int, seed: int) -> dict[str, Any]:
    """The figures: `segments_that_do_not_play`, `events_lost` and `catalog_disagrees` must be zero."""
    dice = random.Random(seed)
    heard: dict[int, str] = {}
    with LocalBroker(directory / "broker") as broker:
        tables: Tables = {
            "node": {"id": "pole-7", "state_dir": directory / "state"},
            "camera": {"driver": "synthetic", "width": 640, "height": 360, "fps": 15},
            "recording": {"segment_seconds": 2},
            "motion": {"sensitivity": 1.0, "hold_seconds": 0.2},
            "mqtt": {"url": broker.url, "health_seconds": 1},
            "console": {"enabled": False},
        }
        config = write(directory / "config.toml", tables, drawn_windows())
        commission(config)
        centre = FleetListener(
            BrokerEndpoint.of(broker.url), transport(BrokerCredentials()), ("vigie/+/onvif-ej/#", "vigie/+/register")
        )

        def take(message: Received) -> None:
            properties = dict(message.user_properties)
            if not message.retain and "restated" not in properties:
                heard[int(properties["sequence"])] = properties["event-id"]

        with (directory / "run.log").open("wb") as log:
            command = [sys.executable, "-m", "agent", "run", "--config", str(config)]
            for _ in range(kills):
                node = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
                _listen_for(centre, dice.uniform(0.3, LATEST_KILL_S), take)
                node.kill()
                node.wait()
            subprocess.run([*command, "--for", "5"], cwd=ROOT, stdout=log, stderr=log, check=True, timeout=60)
            highest, kept = _outbox(directory / "state" / "outbox.sqlite3")
            deadline = time.monotonic() + DRAIN_S
            while len(heard) < highest and time.monotonic() < deadline:
                centre.listen(0.5, take)
        centre.close()
    pictures, broken = _play(_segments(directory))
    missing = set(range(1, highest + 1)) - set(heard)
    return {
        "kills": kills,
        "segments": len(_segments(directory)),
        "segments_that_do_not_play": broken,
        "pictures": pictures,
        "events": highest,
        "events_waiting": len(missing & kept),
        "events_lost": len(missing - kept),
        "catalog_disagrees": _disagreements(directory),
    }


def _listen_for(centre: FleetListener, seconds: float, take: Any) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        centre.listen(min(left, 0.2), take)


def _segments(directory: Path) -> list[Path]:
    return sorted((directory / "state" / "recordings").glob("**/*.mp4"))


def _play(segments: list[Path]) -> tuple[int, int]:
    """Pictures decoded in all, and segments that a strict decoder refuses or that hold none."""
    pictures = broken = 0
    for segment in segments:
        shown = 0
        try:
            with av.open(str(segment)) as film:
                film.streams.video[0].codec_context.options = {"err_detect": "explode"}
                shown = sum(1 for _ in film.decode(video=0))
        except av.error.FFmpegError:
            shown = 0
        pictures += shown
        broken += not shown
    return pictures, broken


def _outbox(path: Path) -> tuple[int, set[int]]:
    """The highest sequence ever given, and the rows that are still there to be sent."""
    with closing(sqlite3.connect(path)) as database:
        kept = {int(sequence) for (sequence,) in database.execute("SELECT sequence FROM row")}
        return int(database.execute("SELECT value FROM counter WHERE name = 'sequence'").fetchone()[0]), kept


def _disagreements(directory: Path) -> int:
    """Files without a row, and rows without a file."""
    state = directory / "state"
    with closing(sqlite3.connect(state / "catalog.sqlite3")) as catalog:
        rows = {state / "recordings" / path for (path,) in catalog.execute("SELECT path FROM segment")}
    return len(rows ^ set(_segments(directory)))
