"""What may close the picture besides the view guard, and can do nothing else.

A shutter hands over words: never a cover, never a frame. From words a closing follows, from none what the guard says; so
whoever fills this port, whatever goes wrong in it, can close the picture and has no way to open one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from agent.picture.cover import Cover


class Light(StrEnum):
    """How much of the scene may leave the camera; the values are those of health's `nomad.light`."""

    DARK = "dark"
    """The camera is closed: no picture, no segment, no still, no live."""
    OPAQUE = "opaque"
    """The camera runs, and every picture is covered whole."""
    OPEN = "open"
    """As the view guard and the masks have it."""


class Shutter(Protocol):
    """Any thread, once per frame: cheap, and it never raises. At most one of the two has words."""

    def dark(self) -> str:
        """Why the camera is to be closed; empty when it is not."""
        ...

    def covered(self) -> str:
        """Why the picture is to be covered whole; empty when nothing is against it."""
        ...


def shut(cover: Cover, words: str) -> Cover:
    """The cover as the guard made it, or a firm closing for these words; what the guard could prove is still told."""
    return Cover.closed(words, cover.state) if words else cover
