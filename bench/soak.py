"""A node that is not left in peace: broker restarts, reloads, a disk that fills and empties, and what grows meanwhile.

Options: --minutes 30, --broker-every 60, --reload-every 20, --disk-every 120, --directory DIR (kept). Needs root for the
small disk. Real film, 1080p25. Memory and descriptors are compared with what they were after the first sixth of the time;
every picture the camera delivered must be recorded, or counted as dropped or lost in health.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from agent.base.errors import DeviceError
from agent.demo.broker import LocalBroker
from agent.operations.control_socket import ask
from bench.filming_node import Tables, commission, film_1080p, write

ROOT = Path(__file__).resolve().parents[1]
DISK_MB = 256
FULL_FOR_S = 15.0
SAMPLE_S = 5.0


@dataclass
class _Observed:
    """Samples over the run; each list has one entry per sample."""

    at_s: list[float] = field(default_factory=list)
    rss_bytes: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    silent: int = 0

    def take(self, at_s: float, process: psutil.Process) -> None:
        self.at_s.append(at_s)
        self.rss_bytes.append(process.memory_info().rss)
        self.descriptors.append(process.num_fds())
        self.threads.append(process.num_threads())


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Disturb the node for so many minutes; the figures."""
    minutes = float(str(options.get("minutes", 30)))
    every = {what: float(str(options.get(f"{what}_every", s))) for what, s in (("broker", 60), ("reload", 20), ("disk", 120))}
    kept = options.get("directory")
    with tempfile.TemporaryDirectory(prefix="vigie-soak-") as name:
        directory = Path(str(kept)) if kept else Path(name)
        directory.mkdir(parents=True, exist_ok=True)
        with _small_disk(directory / "recordings") as disk, LocalBroker(directory / "broker") as broker:
            result = _soak(directory, disk, broker, minutes * 60, every)
    for key, value in result.items():
        print(f"{key:<32} {value}")
    return result


def _soak(directory: Path, disk: Path, broker: LocalBroker, seconds: float, every: Mapping[str, float]) -> dict[str, Any]:
    config = directory / "config.toml"
    tables: Tables = {
        "node": {"id": "soak", "state_dir": directory / "state"},
        "camera": film_1080p(),
        "recording": {"directory": disk, "segment_seconds": 10, "min_free_mb": 64},
        "mqtt": {"url": broker.url, "health_seconds": 5},
        "console": {"port": 0},
    }
    write(config, tables)
    commission(config)
    observed = _Observed()
    counts = dict.fromkeys(every, 0)
    began = time.monotonic()
    due = {what: began + pause for what, pause in every.items()}
    with (directory / "run.log").open("wb") as log:
        summary = directory / "summary.json"
        command = [sys.executable, "-m", "agent", "run", "--config", str(config), "--summary", str(summary)]
        node = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        process = psutil.Process(node.pid)
        while (now := time.monotonic()) - began < seconds and node.poll() is None:
            for what in [what for what, at in due.items() if now >= at]:
                due[what] += every[what]
                counts[what] += 1
                if what == "broker":
                    broker.kill()
                    broker.start()
                elif what == "reload":
                    write(config, {**tables, "motion": {"hold_seconds": 3 + counts[what] % 2}})
                    node.send_signal(signal.SIGHUP)
                else:
                    _fill_for_a_while(disk)
            observed.take(now - began, process)
            observed.silent += not _health(directory / "state")
            time.sleep(SAMPLE_S)
        alive = node.poll() is None
        node.terminate()
        code = node.wait(60)
        counted = json.loads(summary.read_text(encoding="utf-8"))
    return {
        "minutes": round(seconds / 60, 1),
        **counts,
        "alive_to_the_end": alive,
        "exit_code": code,
        **_judged(observed, counted, directory),
    }


def _judged(observed: _Observed, counted: Mapping[str, int], directory: Path) -> dict[str, Any]:
    settled = max(1, len(observed.at_s) // 6)

    def growth(values: list[int]) -> float:
        early, late = values[settled : 2 * settled], values[-settled:]
        return round(max(late) / max(early) - 1, 4) if early and late else 0.0

    accounted = counted["recorded"] + counted["lost"] + counted["dropped"]
    return {
        "rss_mb_early": round(max(observed.rss_bytes[settled : 2 * settled], default=0) / 1e6, 1),
        "rss_mb_late": round(max(observed.rss_bytes[-settled:], default=0) / 1e6, 1),
        "rss_growth": growth(observed.rss_bytes),
        "descriptors_growth": growth(observed.descriptors),
        "threads_growth": growth(observed.threads),
        "health_silent": observed.silent,
        "pictures_captured": counted["captured"],
        "pictures_dropped": counted["dropped"],
        "pictures_recorded": counted["recorded"],
        "pictures_lost_at_the_disk": counted["lost"],
        "pictures_nobody_counted": counted["captured"] - accounted,
        "events": counted["events"],
        "tracebacks": (directory / "run.log").read_text(encoding="utf-8", errors="replace").count("Traceback"),
    }


def _health(state: Path) -> dict[str, Any]:
    try:
        return ask(state, "status")
    except DeviceError:
        return {}


def _fill_for_a_while(disk: Path) -> None:
    """Leave not a byte free for a few seconds; another process does it, so that the node's faults go on meanwhile."""
    script = f"head -c 1G /dev/zero > {disk}/ballast 2>/dev/null; sleep {FULL_FOR_S}; rm -f {disk}/ballast"
    subprocess.Popen(["sh", "-c", script], stderr=subprocess.DEVNULL)


@contextmanager
def _small_disk(at: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        raise SystemExit("the soak fills a small disk of its own: mounting it takes root (sudo vigie bench soak)")
    at.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)
