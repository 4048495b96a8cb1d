"""The whole node on 1080p25 film in real time, beside ffmpeg reading, overlaying a mask and encoding the same.

Options: --seconds 60, --rounds 1, --preset superfast, --crf 23. Both run in turn on the same film, in real time; what
is compared is processor time per picture. The node does all it does in service: guard, masks, caption, encoder,
signatures, recording with its flushes, motion and tampering, outbox, MQTT to a mosquitto on loopback. Last, for memory
alone, the libraries by themselves (`bench/bare.py`).
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from agent.demo.broker import LocalBroker
from bench.beside import compared, show
from bench.film import film_1080p25
from bench.filming_node import Tables, commission, film_1080p, write
from bench.peers import FPS, ffmpeg, metrics
from bench.process import as_installed, measure

ROOT = Path(__file__).resolve().parents[1]


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Measure; prints a table and returns the figures."""
    seconds = float(str(options.get("seconds", 60)))
    rounds = int(str(options.get("rounds", 1)))
    preset, crf = str(options.get("preset", "superfast")), int(str(options.get("crf", 23)))
    film = film_1080p25()
    ours: list[dict[str, float]] = []
    peers: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        directory = Path(name)
        with LocalBroker(directory / "broker") as broker:
            for number in range(rounds):
                peers.append(ffmpeg(film, directory, seconds, preset, crf))
                ours.append(node(directory / f"node{number}", broker.url, seconds, preset, crf))
        result = {**compared(ours, "ffmpeg", peers), "libraries_alone": _libraries_alone(film, directory, preset, crf)}
    show("1080p25 film in real time", "ffmpeg", result)
    Console().print(f"the libraries alone, decoding and encoding: {result['libraries_alone']['peak_rss_mb']} MB at their peak")
    return result


def node(state: Path, broker: str, seconds: float, preset: str, crf: int) -> dict[str, float]:
    """A whole node with its state in `state`, filming for so long."""
    state.mkdir()
    tables: Tables = {
        "node": {"id": "bench", "state_dir": state},
        "camera": film_1080p(),
        "encoding": {"preset": preset, "crf": crf},
        "mqtt": {"url": broker},
        "console": {"port": 0},
    }
    config = write(state / "config.toml", tables)
    vigie = [sys.executable, "-m", "agent"]
    commission(config)
    summary = state / "summary.json"
    log = state / "run.log"
    run_for = [*vigie, "run", "--config", str(config), "--summary", str(summary), "--for"]
    installed = as_installed(state.parent / "bytecode")
    measure([*run_for, "1"], log, cwd=ROOT, env=installed)
    cost = measure([*run_for, f"{seconds:g}"], log, cwd=ROOT, env=installed)
    if cost.code != 0:
        raise SystemExit(f"vigie run left with {cost.code}:\n{log.read_text()[-2000:]}")
    told = json.loads(summary.read_text())
    return {
        **metrics(cost, told["encoded"]),
        "dropped": told["dropped"],
        "opaque": told["opaque"],
        "first_masked_s": told["first_masked_s"],
        "bytes_per_s": told["encoded_bytes"] * FPS / max(1, told["encoded"]),
    }


def _libraries_alone(film: Path, directory: Path, preset: str, crf: int) -> dict[str, float]:
    """The memory a decoder, x264 and the imports take before there is a node around them."""
    log = directory / "bare.log"
    cost = measure([sys.executable, "-m", "bench.bare", str(film), "100", preset, str(crf)], log, cwd=ROOT)
    if cost.code != 0:
        raise SystemExit(f"the libraries alone left with {cost.code}:\n{log.read_text()[-2000:]}")
    return {"peak_rss_mb": round(cost.peak_rss_bytes / 1e6, 1)}
