"""The camera: found and delivering, in focus, well exposed, and by the norm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from agent.analytics.picture_metrics import PictureMetrics
from agent.base.errors import DeviceError, told_apart
from agent.base.phrase import say, small
from agent.commissioning import driver_remedies
from agent.commissioning.line import Line, Metric, fail, left_open, ok, warn
from agent.commissioning.picture_norm import judge_picture
from agent.commissioning.pixel_density import judge_density
from agent.commissioning.sight import Sight
from agent.config.driver_kinds import DRIVERS
from agent.config.model import CameraSettings
from agent.picture.sameness import FROZEN_S

SHARP = 0.32
"""Of `PictureMetrics.sharpness`; the tampering detector calls a frame blurred below the same figure."""
DARK_MEAN, BRIGHT_MEAN = 40.0, 200.0
CLIPPED_SHARE = 0.2
RATE_OF_WANTED = 0.9
OLD_PICTURE_S = 3.0
SAME_S = 4.5
"""The same frame for so long, of the six seconds of a look: longer than a keyframe is usually away."""


def judge_sight(camera: CameraSettings, sight: Sight) -> Iterator[Line]:
    """What a look through the camera gives: every line of the subject."""
    if not sight.pictures:
        yield from _no_picture(camera, sight.fault)
        return
    yield _same(camera, sight.same_s) if sight.same_s >= SAME_S else _delivery(camera, sight.fps, sight.pictures)
    yield from _size(camera, sight.driver, sight.fps)
    yield _focus(sight.metrics, sight.opaque)
    if sight.metrics is not None:
        yield _exposure(camera, sight.metrics, sight.driver)


def judge_running(camera: CameraSettings, health: Mapping[str, Any], measure: Callable[[], Mapping[str, Any]]) -> Iterator[Line]:
    """The same as told by the running daemon, which holds the camera; `measure` asks it for the figures of its masked frame."""
    told = health.get("camera", {})
    age_s, fps = told.get("last_frame_age_s"), told.get("fps")
    if age_s is None or age_s > OLD_PICTURE_S:
        since = say("no picture yet") if age_s is None else say("the last picture is {age_s:.0f} s old", age_s=age_s)
        yield from _no_picture(camera, str(told.get("reason") or since))
        return
    yield _same(camera) if told.get("state") == "frozen" else _delivery(camera, fps, told.get("captured", 0))
    yield from _size(camera, told.get("figures", {}), fps)
    try:
        metrics = PictureMetrics(**measure())
    except DeviceError as error:
        yield _focus(None, error.said[0])
        return
    yield _focus(metrics, "")
    yield _exposure(camera, metrics, told.get("figures", {}))


def _no_picture(camera: CameraSettings, fault: str) -> Iterator[Line]:
    """The driver's own remedy where it has one: it alone knows a refused password from a cable."""
    said, remedy = told_apart(fault)
    said = say("{driver}: {what}", driver=camera.driver, what=said)
    yield fail("camera", said, small(remedy) if remedy else driver_remedies.no_picture(camera), driver=camera.driver)
    yield from judge_picture(camera.purpose, camera.width, camera.height, None, came=False)
    yield judge_density(camera, came=False)


def _size(camera: CameraSettings, driver: Mapping[str, float | str], fps: float | None) -> Iterator[Line]:
    """By the smaller of what is delivered and what was asked for: enlarging a frame shows nobody more."""
    width, height = (int(driver.get(f"delivered_{side}", 0)) for side in ("width", "height"))
    if 0 < width < camera.width or 0 < height < camera.height:
        yield warn(
            "delivered size",
            say(
                "{driver} delivers {given}, which is enlarged to {wanted}",
                driver=camera.driver,
                given=f"{width}x{height}",
                wanted=f"{camera.width}x{camera.height}",
            ),
            say("choose a larger picture in the camera, or set [camera] width and height to what it delivers"),
            width=width, height=height, wanted_width=camera.width, wanted_height=camera.height,
        )  # fmt: skip
    width, height = min(width or camera.width, camera.width), min(height or camera.height, camera.height)
    yield from judge_picture(camera.purpose, width, height, fps)
    yield judge_density(camera, width)


def _same(camera: CameraSettings, same_s: float = FROZEN_S) -> Line:
    """A codec may repeat a frame of nothing that moves for some seconds; half a minute is a camera that hangs."""
    said = say(
        "{driver} has sent the same picture, bit for bit, for {same_s:.0f} s: no sensor does that",
        driver=camera.driver,
        same_s=same_s,
    )
    grade = fail if same_s >= FROZEN_S else warn
    return grade("camera", said, driver_remedies.same_picture(camera), driver=camera.driver, same_s=round(same_s))


def _delivery(camera: CameraSettings, fps: float | None, pictures: int) -> Line:
    metrics: dict[str, Metric] = {"driver": camera.driver, "pictures": pictures, "fps": round(fps, 2) if fps else None}
    if fps is not None and fps < camera.fps * RATE_OF_WANTED and not DRIVERS[camera.driver].plays:
        return warn(
            "camera",
            say(
                "{driver} delivers {fps:.1f} of the {wanted:g} frames per second it was asked for",
                driver=camera.driver,
                fps=fps,
                wanted=camera.fps,
            ),
            driver_remedies.too_slow(camera),
            **metrics,
        )
    if not fps:
        return left_open(
            "camera", say("{driver} delivered one frame: its rate was not measured", driver=camera.driver), "", **metrics
        )
    return ok("camera", say("{driver} delivers {fps:.1f} frames per second", driver=camera.driver, fps=fps), **metrics)


def _focus(metrics: PictureMetrics | None, opaque: str) -> Line:
    if metrics is None:
        why = say("the whole picture is covered") if opaque else say("the masks cover all of it")
        return left_open("focus", say("waits for masks and view: {why}", why=why))
    told: dict[str, Metric] = {"focus": round(metrics.focus, 1), "sharpness": None}
    said = say("{focus:.0f} (greatest is best, on this view)", focus=metrics.focus)
    if metrics.sharpness is None:
        remedy = say("`vigie doctor --focus` while it is aimed at buildings or kerbs, by day")
        return left_open("focus", say("{said}; the scene has too few edges to judge by", said=said), remedy, **told)
    told["sharpness"] = round(metrics.sharpness, 2)
    if metrics.sharpness < SHARP:
        remedy = say("wipe the dome, then turn the lens until the figure peaks: `vigie doctor --focus`")
        return warn("focus", say("{said}; the picture is blurred", said=said), remedy, **told)
    return ok("focus", say("{said}; sharp", said=said), **told)


def _exposure(camera: CameraSettings, metrics: PictureMetrics, driver: Mapping[str, float | str]) -> Line:
    told: dict[str, Metric] = {
        "mean_luma": round(metrics.mean_luma, 1),
        "dark_share": round(metrics.dark_share, 3),
        "bright_share": round(metrics.bright_share, 3),
    }
    told |= {name: driver[name] for name in ("exposure_us", "analogue_gain", "lux") if name in driver}
    said = say(
        "mean {mean_luma:.0f} of 16..235, {dark_share:.0%} black, {bright_share:.0%} white",
        mean_luma=metrics.mean_luma,
        dark_share=metrics.dark_share,
        bright_share=metrics.bright_share,
    )
    if metrics.mean_luma < DARK_MEAN:
        return warn("exposure", say("{said}: too dark", said=said), driver_remedies.too_dark(camera), **told)
    if metrics.mean_luma > BRIGHT_MEAN or metrics.bright_share > CLIPPED_SHARE:
        return warn("exposure", say("{said}: too bright", said=said), driver_remedies.too_bright(camera), **told)
    return ok("exposure", said, **told)
