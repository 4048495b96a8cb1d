"""What the demonstration shows: a film or the drawn square, and the private spaces in it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from agent.base.errors import ConfigurationError
from agent.base.phrase import say
from agent.config.polygon import Polygon, check_polygon

# The windows of OpenCV's public sample film of a square (vtest.avi, from the PETS benchmark), read off its frames.
TOWN_SQUARE: dict[str, Polygon] = {
    "long band": ((0.425, 0.055), (0.750, 0.062), (0.750, 0.148), (0.425, 0.140)),
    "upper left": ((0.140, 0.005), (0.285, 0.000), (0.285, 0.045), (0.140, 0.062)),
    "right wall": ((0.905, 0.010), (0.985, 0.000), (0.985, 0.060), (0.905, 0.075)),
}
TOWN_SQUARE_FILMS = {"town-square.avi", "vtest.avi"}


class Scene(Struct, frozen=True):
    """A picture source with its masks; `source` None is the drawn square."""

    source: Path | None
    width: int
    height: int
    fps: float
    masks: dict[str, Polygon]


def known_masks(film: Path) -> dict[str, Polygon]:
    """The windows of the one film everybody has; none for any other."""
    return dict(TOWN_SQUARE) if film.name in TOWN_SQUARE_FILMS else {}


def parse_mask(text: str) -> tuple[str, Polygon]:
    """`name=0.1,0.2 0.3,0.2 0.3,0.4` as a named polygon. ConfigurationError says what is wrong with it."""
    name, equals, corners = text.partition("=")
    try:
        if not equals or not name:
            raise ValueError("a mask looks like name=0.1,0.2 0.3,0.2 0.3,0.4")
        points = []
        for corner in corners.split():
            x, comma, y = corner.partition(",")
            if not comma:
                raise ValueError(f"{corner!r} is no corner: write x,y")
            points.append((float(x), float(y)))
        return name, check_polygon(points)
    except ValueError as error:
        raise ConfigurationError(say("--mask {text!r}: {why}", text=text, why=error)) from None


def configuration_text(scene: Scene, node_id: str, state_dir: Path, broker_url: str, console_port: int) -> str:
    """The demonstration's configuration as a file that `vigie run`, `vigie check` and the others take as well."""
    lines = [
        "# Made by `vigie demo`; every other command takes it with --config.",
        "[node]",
        f'id = "{node_id}"',
        'site = "Demonstration"',
        f"state_dir = {quoted(state_dir)}",
        "",
        "[camera]",
        f'driver = "{"synthetic" if scene.source is None else "file"}"',
        *([f"source = {quoted(scene.source)}"] if scene.source is not None else []),
        f"width = {scene.width}",
        f"height = {scene.height}",
        f"fps = {scene.fps:g}",
        "loop = true",
        "",
        "[recording]",
        "segment_seconds = 20",
        "retention_days = 1",
        "min_free_mb = 64",
        "",
        "[mqtt]",
        f'url = "{broker_url}"',
        "health_seconds = 2",
        "",
        "[console]",
        f"port = {console_port}",
    ]
    for name, polygon in scene.masks.items():
        corners = ", ".join(f"[{x:g}, {y:g}]" for x, y in polygon)
        lines += ["", "[[privacy.mask]]", f"name = {quoted(name)}", f"polygon = [{corners}]"]
    return "\n".join(lines) + "\n"


def quoted(text: object) -> str:
    """A TOML basic string."""
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
