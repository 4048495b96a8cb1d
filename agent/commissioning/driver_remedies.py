"""What to do about a frame, by the driver that brings it: what is set here is not what is set in a camera of its own."""

from __future__ import annotations

from typing import Final

from agent.base.phrase import say
from agent.config.driver_kinds import DRIVERS
from agent.config.model import CameraSettings

_ITS_OWN: Final = frozenset({"rtsp", "v4l2"})
"""Drivers of cameras that rule their exposure themselves."""


def no_picture(camera: CameraSettings) -> str:
    """Where the driver does not say what to do."""
    match camera.driver:
        case "rtsp":
            return say("compare [camera] source with the address on the camera's own page")
        case _ if DRIVERS[camera.driver].source == "file":
            return say("name a film that FFmpeg reads in [camera] source")
        case "v4l2":
            return say("`v4l2-ctl --list-devices` shows what is plugged in; name it in [camera] source")
        case "picamera2":
            return say("power off, seat both ends of the ribbon cable, then `rpicam-hello --list-cameras`")
        case _:
            return say("`vigie check` shows which [camera] driver is set")


def too_slow(camera: CameraSettings) -> str:
    """Fewer frames per second come than were asked for."""
    if camera.driver == "rtsp":
        return say("set the camera itself to {fps:g} frames per second, or [camera] fps to what it delivers", fps=camera.fps)
    if camera.driver == "v4l2":
        return say("`v4l2-ctl --list-formats-ext` shows what it can; set [camera] width, height and fps to one of these")
    return say("long exposures at night do this: set [camera] exposure_max_us lower")


def too_dark(camera: CameraSettings) -> str:
    """The frame is dark."""
    if camera.driver in _ITS_OWN:
        return say("light the scene, or lengthen the exposure in the camera itself, then `vigie doctor`")
    if camera.driver == "picamera2":
        return say("light the scene, or set [camera] exposure_max_us higher")
    return say("name a brighter film in [camera] source")


def too_bright(camera: CameraSettings) -> str:
    """The frame is white."""
    if camera.driver == "picamera2" and not camera.hdr:
        return say("turn it out of the sun, or set [camera] hdr = true")
    if camera.driver in _ITS_OWN or camera.driver == "picamera2":
        return say("turn it out of the sun, or shorten the exposure in the camera itself, then `vigie doctor`")
    return say("name a darker film in [camera] source")


def same_picture(camera: CameraSettings) -> str:
    """It sends one frame again and again."""
    if camera.driver == "rtsp":
        return say("restart the camera; where a recorder stands between, name the camera itself in [camera] source")
    return say("power the camera off and on, then `vigie doctor`")
