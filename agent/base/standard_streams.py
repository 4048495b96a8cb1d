"""The three streams every process is given, also when whoever started it gave none (`>&-`, a bare supervisor)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def fill_closed() -> None:
    """Afterwards each stream that was closed is /dev/null, for what this process becomes as well.

    Else the next file that is opened gets its number, and what a library says on stderr is written into the lock, the film or
    the database that happens to be there.
    """
    for number in range(len(_STREAMS)):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken, and that is this one: those below were filled before it.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - as long as the process
