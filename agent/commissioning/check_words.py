"""What the doctor's subjects and lines are called on the terminal; the sheet and JSON know them by their own names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.base.phrase import say
from agent.commissioning.line import Grade

NAMES: Final[Mapping[str, str]] = {
    "broker": say("broker"),
    "privacy": say("privacy"),
    "recording": say("recording"),
    "broker topics": say("broker topics"),
    "broker commands": say("broker commands"),
    "broker certificate": say("broker certificate"),
    "camera": say("camera"),
    "clock battery": say("clock battery"),
    "clock": say("clock"),
    "daemon": say("daemon"),
    "delivered size": say("delivered size"),
    "disk speed": say("disk speed"),
    "disk": say("disk"),
    "exposure": say("exposure"),
    "focus": say("focus"),
    "identity": say("identity"),
    "masks": say("masks"),
    "memory": say("memory"),
    "own certificate": say("own certificate"),
    "picture rate": say("picture rate"),
    "picture size": say("picture size"),
    "pixels per metre": say("pixels per metre"),
    "register": say("register"),
    "security updates": say("security updates"),
    "signing": say("signing"),
    "storage": say("storage"),
    "supply": say("supply"),
    "temperature": say("temperature"),
    "throttling": say("throttling"),
    "uplink": say("uplink"),
    "view guard": say("view guard"),
    "view": say("view"),
    "service": say("service"),
    "board": say("board"),
    "deployment": say("deployment"),
    "authorisation": say("authorisation"),
    "position": say("position"),
    "tilt": say("tilt"),
    "modem": say("modem"),
    "battery": say("battery"),
    "picture": say("picture"),
    "evidence": say("evidence"),
}
GRADES: Final[Mapping[Grade, str]] = {
    Grade.OPEN: say("open"),
    Grade.OK: say("ok"),
    Grade.WARN: say("warn"),
    Grade.FAIL: say("fail"),
}


def name_of(check: str) -> str:
    """The name of a subject or a line; one of a broker that is a fallback keeps its number."""
    return NAMES.get(check, check)
