"""A whole node as a user runs it: `vigie run` in a process of its own, on film, with the private windows masked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np

from agent.demo.scene import Scene, configuration_text
from agent.picture.planes import Planes
from bench.film import footage
from hardware.camera_synthetic import private_windows
from tests.support.footage import REPOSITORY, WINDOWS

VIGIE = [sys.executable, "-m", "agent"]


@dataclass
class WholeNode:
    """Its directory, and the tables of its configuration that a test changes (as TOML text, by table)."""

    directory: Path
    broker_url: str = "mqtt://127.0.0.1:1"
    tables: dict[str, str] = field(default_factory=dict)
    masks: bool = True
    """Without: the picture must stay closed."""

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    @property
    def polygons(self) -> list[tuple[tuple[float, float], ...]]:
        """The private spaces of what the camera sees."""
        if footage() is not None:
            return list(WINDOWS)
        return [tuple((float(x), float(y)) for x, y in window.polygon) for window in private_windows(1)]

    def write(self, *, realtime: bool = False, loop: bool = False, fps: float = 10) -> Path:
        """Write the configuration; the film plays as fast as it goes unless `realtime`."""
        film = footage()
        masks = {f"window {n}": polygon for n, polygon in enumerate(self.polygons)} if self.masks else {}
        scene = Scene(film, 768, 576, fps, masks)
        text = configuration_text(scene, "pole-7", self.directory / "state", self.broker_url, 0)
        text = text.replace("loop = true", f"loop = {str(loop).lower()}\nrealtime = {str(realtime).lower()}")
        for table, lines in self.tables.items():
            header = f"[{table}]\n"
            text = text.replace(header, header + lines + "\n") if header in text else f"{text}\n{header}{lines}\n"
        self.config.write_text(text, encoding="utf-8")
        return self.config

    def validate(self) -> None:
        """What the technician does once."""
        self.vigie("masks", "validate", "--config", str(self.config), "--by", "test")

    def vigie(self, *arguments: str, expect: int = 0, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """One command to its end; its exit code must be `expect`."""
        done = subprocess.run(
            [*VIGIE, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        assert done.returncode == expect, f"vigie {arguments} left with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def run(self, *more: str, expect: int = 0) -> dict[str, Any]:
        """`vigie run` to its end; its summary."""
        summary = self.directory / "summary.json"
        self.vigie("run", "--config", str(self.config), "--summary", str(summary), *more, expect=expect)
        found = json.loads(summary.read_text())
        assert isinstance(found, dict)
        return found

    def start(self, *more: str) -> subprocess.Popen[str]:
        """`vigie run` in the background; the caller ends it."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with (self.directory / "run.log").open("a", encoding="utf-8") as log:
            return subprocess.Popen(
                [*VIGIE, "run", "--config", str(self.config), *more],
                cwd=REPOSITORY,
                stdout=log,
                stderr=log,
                text=True,
                env=environment,
            )

    def log(self) -> str:
        """What a node in the background said."""
        return (self.directory / "run.log").read_text(encoding="utf-8")

    def recordings(self) -> list[Path]:
        """Every segment, oldest first."""
        return sorted((self.directory / "state" / "recordings").glob("**/*.mp4"))


def decoded(segment: Path) -> Iterator[Planes]:
    """Every picture of a segment."""
    with av.open(str(segment)) as film:
        for picture in film.decode(video=0):
            packed = np.ascontiguousarray(picture.to_ndarray(format="yuv420p"), np.uint8)
            yield Planes.over(packed.reshape(-1), picture.width, picture.height)
