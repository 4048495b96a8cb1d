"""The whole node on 1080p25 film in real time, beside Motion masking, detecting and recording the same film.

Options: --seconds 60, --rounds 1, --crf 23. Both encode with x264's ultrafast, since Motion knows no other preset; Motion
also leaves x264's lookahead out, which saves it time and costs it bytes: read both ratios. Motion's mask does not follow
the view, and it neither signs nor keeps what it tells.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from agent.demo.broker import LocalBroker
from bench.beside import compared, show
from bench.film import film_1080p25
from bench.node import node
from bench.peers import motion

PRESET = "ultrafast"


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Measure; prints a table and returns the figures."""
    seconds = float(str(options.get("seconds", 60)))
    rounds, crf = int(str(options.get("rounds", 1))), int(str(options.get("crf", 23)))
    if shutil.which("motion") is None:
        raise click.UsageError("Motion is not installed here: sudo apt install motion")
    film = film_1080p25()
    ours: list[dict[str, float]] = []
    theirs: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name, LocalBroker(Path(name) / "broker") as broker:
        for number in range(rounds):
            directory = Path(name) / f"round{number}"
            directory.mkdir()
            theirs.append(motion(film, directory, seconds, crf))
            ours.append(node(directory / "node", broker.url, seconds, PRESET, crf))
    result = compared(ours, "motion", theirs)
    show("1080p25 film in real time, x264 ultrafast", "motion", result)
    return result
