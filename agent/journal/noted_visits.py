"""Visits that the register knows the beginning of and not yet the end, kept on disk: a node that was killed enters their ends."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from agent.base.durable_file import replace_durably
from agent.base.errors import RegisterError
from agent.base.phrase import say
from agent.base.regular_file import read_regular
from agent.base.system_words import system_words
from agent.journal.entry import Fact

log = logging.getLogger(__name__)

INTERRUPTED: Final = "the node was interrupted"
_MOST_BYTES: Final = 1 << 20


class LiveVisit(msgspec.Struct):
    """The looks that belong together since their line was entered. `open` of them go on; `seconds` are those of the others."""

    by: str
    facts: dict[str, Fact]
    looks: int = 1
    open: int = 1
    seconds: float = 0.0
    left_ns: int = 0
    end: dict[str, Fact] = {}

    @property
    def told(self) -> dict[str, Fact]:
        """The facts of its end."""
        return {**self.facts, "looks": self.looks, "seconds": round(self.seconds, 1), **self.end}


class NotedVisits:
    """The file at `path`, whole at every instant; it is there while a visit is. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def left_behind(self) -> list[LiveVisit]:
        """Those of an earlier life; interrupted where a look was open."""
        try:
            visits = msgspec.json.decode(read_regular(self._path, _MOST_BYTES, follow=False), type=list[LiveVisit])
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            log.warning("%s cannot be read (%s): looks of before may have no end in the register", self._path, error)
            return []
        for visit in visits:
            if visit.open:  # else its end is known, and was not entered yet
                visit.end = {"why": INTERRUPTED}
        return visits

    def note(self, visits: Iterable[LiveVisit]) -> None:
        """These and no others, durably. RegisterError, and what was noted before stands."""
        noted = list(visits)
        try:
            if noted:
                replace_durably(self._path, msgspec.json.encode(noted, enc_hook=str), mode=0o640)
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            why = system_words((error.strerror or str(error)).lower())
            raise RegisterError(
                say("{path} cannot be written: {why}", path=self._path, why=why), remedy=say("free space on its disk")
            ) from error
