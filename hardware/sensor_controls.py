"""From [camera] to libcamera's controls, at start and while light changes. Knows their numbers, not the library."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from agent.base.clock import NS
from agent.config.model import CameraSettings

Controls = dict[str, Any]
Metadata = Mapping[str, Any]

# libcamera's enumerations; tests/lanes/picamera2 compares them with the installed library.
AF_MANUAL, AF_AUTO, AF_CONTINUOUS = 0, 1, 2
AF_TRIGGER_START = 0
AE_NORMAL, AE_LONG = 0, 2
HDR_SINGLE_EXPOSURE = 3

NIGHT_LUX: Final = 3.0
DAY_LUX: Final = 10.0
DUSK_S: Final = 30.0
"""How long it must be dark (or light) before the picture changes over: a passing headlight is no dawn."""
GAIN_FLOOR: Final = 1.15
"""With gain this low at the longest allowed exposure there is light enough to give exposure back to the camera."""


def start_controls(settings: CameraSettings, offered: Collection[str]) -> Controls:
    """What to set before the first picture, of what this camera offers."""
    period_us = round(1_000_000 / settings.fps)
    wanted: Controls = {"FrameDurationLimits": (period_us, period_us)}
    match settings.autofocus:
        case "off":
            wanted["AfMode"] = AF_MANUAL
        case "once":
            wanted["AfMode"] = AF_AUTO
            wanted["AfTrigger"] = AF_TRIGGER_START
        case "continuous":
            wanted["AfMode"] = AF_CONTINUOUS
    if settings.hdr:
        wanted["HdrMode"] = HDR_SINGLE_EXPOSURE
    if settings.day_night == "night":
        wanted |= _night(settings)
    return {name: value for name, value in wanted.items() if name in offered}


def missing_controls(settings: CameraSettings, offered: Collection[str]) -> list[str]:
    """What the configuration asks for and this camera cannot do, in words."""
    absent = []
    if settings.autofocus != "off" and "AfMode" not in offered:
        absent.append("autofocus")
    if settings.hdr and "HdrMode" not in offered:
        absent.append("hdr")
    if settings.exposure_max_us is not None and "ExposureTime" not in offered:
        absent.append("exposure_max_us")
    return absent


def _night(settings: CameraSettings) -> Controls:
    """Grey, because colour is noise by then; long exposures unless they are limited."""
    return {"Saturation": 0.0, **({} if settings.exposure_max_us is not None else {"AeExposureMode": AE_LONG})}


class LightFollower:
    """Keeps the exposure below its limit, and turns day to night and back. One thread; called with every frame's metadata.

    libcamera limits exposure only by the picture period. Above `exposure_max_us` the exposure is therefore fixed there
    and gain left to the camera, until gain falls to its floor and the camera may decide again.
    """

    def __init__(self, settings: CameraSettings, offered: Collection[str]) -> None:
        self._settings = settings
        self._offered = frozenset(offered)
        self._fixed = False
        self.night = settings.day_night == "night"
        self._turning_since_ns: int | None = None

    def follow(self, metadata: Metadata, now_ns: int) -> Controls:
        """Controls to set now; empty most of the time."""
        changes = {**self._exposure(metadata), **self._daylight(metadata, now_ns)}
        return {name: value for name, value in changes.items() if name in self._offered}

    def _exposure(self, metadata: Metadata) -> Controls:
        limit_us = self._settings.exposure_max_us
        exposure_us, gain = metadata.get("ExposureTime"), metadata.get("AnalogueGain")
        if limit_us is None or exposure_us is None or gain is None:
            return {}
        if not self._fixed and exposure_us > limit_us:
            self._fixed = True
            return {"ExposureTime": limit_us}
        if self._fixed and gain <= GAIN_FLOOR:
            self._fixed = False
            return {"ExposureTime": 0}  # 0 hands exposure back to the camera
        return {}

    def _daylight(self, metadata: Metadata, now_ns: int) -> Controls:
        lux = metadata.get("Lux")
        if self._settings.day_night != "auto" or lux is None:
            return {}
        if not (lux > DAY_LUX if self.night else lux < NIGHT_LUX):
            self._turning_since_ns = None
            return {}
        if self._turning_since_ns is None:
            self._turning_since_ns = now_ns
        if now_ns - self._turning_since_ns < DUSK_S * NS:
            return {}
        self._turning_since_ns = None
        self.night = not self.night
        return _night(self._settings) if self.night else {"Saturation": 1.0, "AeExposureMode": AE_NORMAL}
