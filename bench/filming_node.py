"""The configuration of a node that films for a benchmark, and its validated view."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agent.base.clock import SystemClock
from agent.config.load import load
from agent.config.polygon import Polygon
from agent.demo.scene import quoted
from agent.node.validation import validate
from bench.film import film_1080p25, masks

Tables = Mapping[str, Mapping[str, object]]


def film_1080p() -> dict[str, object]:
    """[camera] for the benchmark film: 1080p25, in real time, over and over."""
    return {"driver": "file", "source": film_1080p25(), "width": 1920, "height": 1080, "fps": 25, "loop": True}


def write(config: Path, tables: Tables, drawn: Mapping[str, Polygon] | None = None) -> Path:
    """Write the configuration; the masks are the private windows of the benchmark film unless others are given."""
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items()), ""]
    for name, corners in (masks() if drawn is None else drawn).items():
        lines += ["[[privacy.mask]]", f"name = {quoted(name)}", f"polygon = {[list(corner) for corner in corners]}", ""]
    config.write_text("\n".join(lines), encoding="utf-8")
    return config


def commission(config: Path) -> None:
    """Take and sign the reference of the view."""
    validate(load(config), by="bench", clock=SystemClock())


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else quoted(value)
