"""Hands every line of the register on to the centre, whichever process wrote it, and signs the head once an hour."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.errors import JournalError
from agent.base.regular_file import open_regular, read_regular
from agent.journal.register import Register

log = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
_SIGN_EVERY_NS: Final = 3600 * NS
_MOST_BYTES: Final = 1 << 18
_MOST_DIGITS: Final = 20


class Registrar(Component):
    """Component `register`. `hand_on` gets each whole line once or, after a crash, again; it must not block.

    How far it got stands in `register.sent`, written one round late: by then what was handed on is on disk where it went.
    """

    critical = False

    def __init__(self, *, register: Register, clock: Clock, hand_on: Callable[[bytes], None], every_s: float = _EVERY_S) -> None:
        super().__init__("register", clock)
        self._register = register
        self._hand_on = hand_on
        self._every_s = every_s
        self._sent = register.path.with_suffix(".sent")
        self._signed_ns = clock.monotonic_ns()

    def work(self) -> None:
        """Until stopped: look for new lines each second; a last look on the way out."""
        offset = stored = self._stored()
        while True:
            last_round = self.stopping.is_set()
            if stored != offset:
                self._store(offset)
                stored = offset
            offset = self._round(offset)
            self._sign()
            self.progressed()
            if last_round:
                return
            self.clock.wait(self.stopping, self._every_s)

    def _round(self, offset: int) -> int:
        """Hand on what follows `offset`; where the next round begins."""
        while True:
            lines = _whole_lines(self._register.path, offset)
            for line in lines:
                self._hand_on(line)
                offset += len(line) + 1
            if not lines:
                return offset

    def _sign(self) -> None:
        now_ns = self.clock.monotonic_ns()
        if now_ns - self._signed_ns < _SIGN_EVERY_NS:
            return
        self._signed_ns = now_ns
        try:
            self._register.sign_head()
        except JournalError as error:  # the register has raised its alarm itself; the next hour tries again
            log.warning("%s", error)

    def _stored(self) -> int:
        try:
            return min(int(read_regular(self._sent, _MOST_DIGITS)), self._register.path.stat().st_size)
        except (OSError, ValueError):
            return 0

    def _store(self, offset: int) -> None:
        fresh = self._sent.with_name(self._sent.name + ".new")
        try:
            fresh.write_text(str(offset), encoding="ascii")
            fresh.replace(self._sent)
        except OSError as error:  # lines are then handed on once more after a restart: the centre folds them by number
            log.debug("%s: %s", self._sent, error)


def _whole_lines(path: Path, offset: int) -> list[bytes]:
    """Some whole lines from `offset` on, without their newlines; a torn or half-written one is left for later.

    Raises JournalError when the register cannot be read.
    """
    try:
        file = open_regular(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        size = _MOST_BYTES
        while True:
            try:
                data = os.pread(file.fileno(), size, offset)
            except OSError as error:
                raise _unreadable(path, error) from error
            end = data.rfind(b"\n")
            if end >= 0:
                return data[:end].split(b"\n")
            if len(data) < size:
                return []
            size *= 2  # one line longer than what is read at once


def _unreadable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"the register {path} cannot be read: {(error.strerror or str(error)).lower()}", remedy="Check its disk and permissions"
    )
