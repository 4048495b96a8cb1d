"""A shutter that a battery can close as well, where the configuration wants that; it cannot open one."""

from __future__ import annotations

from typing import Final

from agent.base.phrase import say
from agent.stream.shutter import Shutter

SPARED: Final = say("the battery is nearly empty: the camera is closed until it is charged")


class SparingShutter:
    """Implements Shutter around another one, or none. The sensors' thread sets `closed`, any thread asks."""

    def __init__(self, other: Shutter | None) -> None:
        self._other = other
        self.closed = False

    def dark(self) -> str:
        """See Shutter. What the other one says goes before: it lasts longer."""
        return (self._other.dark() if self._other is not None else "") or (SPARED if self.closed else "")

    def covered(self) -> str:
        """See Shutter."""
        return "" if self.closed or self._other is None else self._other.covered()
