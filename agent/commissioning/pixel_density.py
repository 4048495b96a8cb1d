"""Pixels per metre at the scene, and what they serve for by both editions of IEC 62676-4."""

from __future__ import annotations

import math

from agent.base.phrase import say
from agent.commissioning.line import Line, Metric, left_open, ok, warn
from agent.config.model import CameraSettings
from agent.config.words import PURPOSES

FIRST_EDITION = (
    (1000.0, "inspect"),
    (250.0, "identify"),
    (125.0, "recognise"),
    (62.5, "observe"),
    (25.0, "detect"),
    (12.5, "monitor"),
)
"""IEC 62676-4:2014, least pixels per metre for each task."""
SECOND_EDITION = (
    (1500.0, "scrutinise"),
    (500.0, "validate"),
    (250.0, "characterise"),
    (125.0, "perceive"),
    (80.0, "discern"),
    (40.0, "outline"),
    (20.0, "overview"),
)
"""IEC 62676-4:2025."""

IDENTIFICATION_WANTS = 250.0
OVERVIEW_WANTS = 12.5


def pixels_per_metre(width_px: int, distance_m: float, horizontal_view_degrees: float) -> float:
    """Of a wall that stands square to the camera at `distance_m`, seen through a lens without distortion."""
    return width_px / (2 * distance_m * math.tan(math.radians(horizontal_view_degrees) / 2))


def task(density: float, edition: tuple[tuple[float, str], ...]) -> str:
    """The most demanding task of an edition that this density still serves."""
    return next((name for least, name in edition if density >= least), "less than any task asks for")


def judge_density(camera: CameraSettings, width_px: int | None = None, *, came: bool = True) -> Line:
    """Pixels per metre, if distance and lens are known, against what the camera is there for; `width_px` of what is delivered.

    `came` False: no frame came, so that nothing is known of its width.
    """
    if camera.distance_m is None or camera.horizontal_view_degrees is None:
        return warn(
            "pixels per metre",
            say("not known"),
            say("set [camera] distance_m (to the scene) and horizontal_view_degrees (of the lens)"),
        )
    if not came:
        return left_open("pixels per metre", say("waits for the camera"))
    density = pixels_per_metre(width_px or camera.width, camera.distance_m, camera.horizontal_view_degrees)
    first, second = task(density, FIRST_EDITION), task(density, SECOND_EDITION)
    said = say(
        "{density:.0f} at {distance_m:g} m: {first} (IEC 62676-4:2014), {second} (2025)",
        density=density,
        distance_m=camera.distance_m,
        first=first,
        second=second,
    )
    metrics: dict[str, Metric] = {"pixels_per_metre": round(density, 1), "iec_62676_4_2014": first, "iec_62676_4_2025": second}
    wanted = IDENTIFICATION_WANTS if camera.purpose == "identification" else OVERVIEW_WANTS
    if density >= wanted:
        return ok("pixels per metre", said, **metrics)
    nearer_m = camera.distance_m * density / wanted
    remedy = say(
        "{purpose} wants {wanted:g}: a longer lens, more [camera] width, or a scene {nearer_m:.0f} m away",
        purpose=PURPOSES[camera.purpose],
        wanted=wanted,
        nearer_m=nearer_m,
    )
    return warn("pixels per metre", said, remedy, **metrics)
