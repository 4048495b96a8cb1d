"""The drivers that [camera] may name, and what each is: a sensor or something that plays, and what its source is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

Driver = Literal["picamera2", "v4l2", "rtsp", "file", "synthetic"]


class DriverKind(Struct, frozen=True):
    """`plays`: no sensor stands behind it, so that it neither hangs nor falls behind. `source`: what [camera] source is."""

    source: Literal["number", "device", "address", "file", "none"]
    plays: bool = False


DRIVERS: Final[Mapping[Driver, DriverKind]] = {
    "picamera2": DriverKind("number"),
    "v4l2": DriverKind("device"),
    "rtsp": DriverKind("address"),
    "file": DriverKind("file", plays=True),
    "synthetic": DriverKind("none", plays=True),
}
