"""Which leases have no end in the register yet, kept on disk: a node that is killed enters their ends when it starts again.

No secret stands there, and nothing in it opens a lease: a restart ends them all.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Final

from agent.base.durable_file import replace_durably
from agent.base.errors import StorageError
from agent.base.phrase import say
from agent.base.regular_file import read_regular
from agent.base.system_words import system_words
from agent.journal.entry import Act, Journal
from agent.journal.noted_visits import INTERRUPTED

log = logging.getLogger(__name__)

_MOST_BYTES: Final = 256 * 1024


class UnendedLeases:
    """Any thread. The file is whole at every instant."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._open: dict[str, str] = {}
        self._earlier = self._left_behind()

    def make_up(self, journal: Journal) -> None:
        """Enter the ends of those that an earlier life left behind. RegisterError: they stay noted."""
        with self._lock:
            while self._earlier:
                lease, by = next(iter(self._earlier.items()))
                journal.enter(Act.LEASE_ENDED, by, {"lease": lease, "why": INTERRUPTED})
                del self._earlier[lease]
                self._write_or_say()

    def add(self, lease: str, by: str) -> None:
        """Durably. StorageError, and it is not noted."""
        with self._lock:
            self._open[lease] = by
            try:
                self._write()
            except StorageError:
                del self._open[lease]
                raise

    def remove(self, lease: str) -> None:
        """Its end is in the register. What the disk refuses here is entered as ended once more at the next start."""
        with self._lock:
            self._open.pop(lease, None)
            self._write_or_say()

    def _left_behind(self) -> dict[str, str]:
        try:
            noted = json.loads(read_regular(self._path, _MOST_BYTES, follow=False))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s cannot be read (%s): leases of before may have no end in the register", self._path, error)
            return {}
        if not isinstance(noted, dict):
            return {}
        return {lease: by for lease, by in noted.items() if isinstance(by, str)}

    def _write_or_say(self) -> None:
        try:
            self._write()
        except StorageError as error:
            log.warning("%s", error)

    def _write(self) -> None:
        try:
            replace_durably(self._path, json.dumps({**self._earlier, **self._open}).encode(), mode=0o640)
        except OSError as error:
            why = system_words((error.strerror or str(error)).lower())
            raise StorageError(
                say("{path} cannot be written: {why}", path=self._path, why=why), remedy=say("free space on its disk")
            ) from error
