"""Storms of SIGHUP and a SIGTERM at random instants of a node's life: whether it always ends in order.

Options: --rounds 50, --hups 400, --seed 1. Each round starts a node on a drawn square, sends its SIGHUPs while it starts,
films or already ends, and one SIGTERM among them. A clean end is exit code 0 within ten seconds of the SIGTERM. All of them
live in one state directory: each starts with what the one before left. One in ten lives long enough to record and to sign.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from agent.node.drivers import drawn_windows
from bench.filming_node import Tables, commission, write

ROOT = Path(__file__).resolve().parents[1]
LATEST_S = 10.0
LONGEST_LIFE_S = 2.5
LONG_LIFE_S = 8.0
LONG_LIVES = 0.1


@dataclass(frozen=True, slots=True)
class Round:
    """How one node ended: its exit code (None when it had to be killed) and the seconds from SIGTERM to its end."""

    code: int | None
    seconds: float
    said: str = ""
    """The end of its log, where it did not end in order."""


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Start, storm, end; prints and returns how many ended otherwise than in order."""
    rounds, hups = int(str(options.get("rounds", 50))), int(str(options.get("hups", 400)))
    dice = random.Random(int(str(options.get("seed", 1))))
    with tempfile.TemporaryDirectory(prefix="vigie-signals-") as name:
        config = small_node(Path(name))
        ended = [storm(config, Path(name) / "run.log", dice, hups) for _ in track(range(rounds), description="storms")]
    result = {
        "rounds": rounds,
        "signals": rounds * (hups + 1),
        "killed": sum(each.code is None for each in ended),
        "wrong_code": sum(each.code not in (None, 0) for each in ended),
        "slowest_s": round(max(each.seconds for each in ended), 2),
        "last_words": [f"code {each.code}: {each.said}" for each in ended if each.code != 0],
    }
    for key, value in result.items():
        print(f"{key:<12} {value}")
    return result


def small_node(directory: Path) -> Path:
    """The configuration of a node that is cheap to start, its view validated."""
    tables: Tables = {
        "node": {"id": "pole-7", "state_dir": directory / "state"},
        "camera": {"driver": "synthetic", "width": 320, "height": 180, "fps": 10},
        "console": {"enabled": False},
    }
    config = write(directory / "config.toml", tables, drawn_windows())
    commission(config)
    return config


def storm(config: Path, log: Path, dice: random.Random, hups: int) -> Round:
    """One node's life, from the instant at which it is the daemon: SIGHUPs at random instants, SIGTERM at one of them."""
    lives_long = dice.random() < LONG_LIVES
    life_s = LONG_LIFE_S if lives_long else dice.uniform(0.0, LONGEST_LIFE_S)
    term_s = dice.uniform(life_s / 2 if lives_long else 0.0, life_s)
    instants = sorted([(dice.uniform(0.0, life_s), signal.SIGHUP) for _ in range(hups)] + [(term_s, signal.SIGTERM)])
    with log.open("wb") as sink:
        command = [sys.executable, "-m", "agent", "run", "--config", str(config)]
        node = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=sink)
        while b"agent.node.daemon" not in Path(f"/proc/{node.pid}/cmdline").read_bytes() and node.poll() is None:
            time.sleep(0.002)
        began, told = time.monotonic(), 0.0
        for at_s, number in instants:
            time.sleep(max(0.0, began + at_s - time.monotonic()))
            if number is signal.SIGTERM:
                told = time.monotonic()
            if node.poll() is None:
                node.send_signal(number)
        try:
            code: int | None = node.wait(max(0.1, told + LATEST_S - time.monotonic()))
        except subprocess.TimeoutExpired:
            node.kill()
            node.wait()
            code = None
    said = "" if code == 0 else log.read_text(errors="replace")[-2000:]
    return Round(code, time.monotonic() - told, f"asked {told - began:.2f} s after it began; {said}")
