"""How the unit hung, and where it stood, when a person commissioned it: kept over a power cut, with what it found since.

No power cut takes back a tilt: a unit that was knocked over is still so when its battery is charged again.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from agent.base.durable_file import replace_durably
from agent.base.phrase import say
from agent.ports.accelerometer import Acceleration
from agent.sensors.place import Place

log = logging.getLogger(__name__)


UNREAD: Final = -1
"""In the place of when it was commissioned, where that cannot be read any more."""
UNKNOWN_POSTURE: Final = say("how it hung when it was commissioned cannot be read any more")


class Posture(Struct, frozen=True, forbid_unknown_fields=True):
    """As it is on disk. None where no sensor has told yet. `of` is when it was commissioned, in Unix ns; 0: nobody has."""

    of: int = 0
    upright: Acceleration | None = None
    home: Place | None = None
    tilted: str = ""
    """Why it hangs askew, in words; empty while it does not."""


def read_posture(path: Path) -> Posture:
    """As it was kept. What cannot be read counts as tilted: it may have been, and only a later commissioning clears it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Posture)
    except FileNotFoundError:
        return Posture()
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        log.error("how the unit hung cannot be read in %s, and it counts as tilted: %s", path, error)
        return Posture(UNREAD, tilted=str(UNKNOWN_POSTURE))


def keep_posture(path: Path, posture: Posture) -> None:
    """On disk on return. Raises OSError."""
    replace_durably(path, msgspec.json.encode(posture), mode=0o640)
