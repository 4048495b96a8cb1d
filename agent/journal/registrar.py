"""Hands every line of the register on to the centre, whichever process wrote it, and signs for those that bear no signature."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.durable_file import Temporary
from agent.base.errors import RegisterError
from agent.base.phrase import say
from agent.base.regular_file import open_regular, read_regular
from agent.base.system_words import system_words
from agent.journal.chain import parse
from agent.journal.parts import first_of, last_of, parts
from agent.journal.register import Register, is_signed

log = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
_SIGN_EVERY_NS: Final = 3600 * NS
_MOST_BYTES: Final = 1 << 18
_MOST_DIGITS: Final = 20


class _Place(Struct, frozen=True):
    """Behind `offset` bytes of the file whose first line has the number `first`."""

    first: int
    offset: int


class Registrar(Component):
    """Component `register`. `hand_on` gets each whole line once or, after a crash, again; it must not block.

    How far it got stands in `register.sent` (the number of the file's first line, and the offset in it), written one round late:
    by then what was handed on is on disk where it went. `settle` is called each round, and with True on the way out: it makes the
    entries whose time has come. RegisterError from it is tried again.
    """

    critical = False

    def __init__(
        self,
        *,
        register: Register,
        clock: Clock,
        hand_on: Callable[[bytes], None],
        every_s: float = _EVERY_S,
        settle: Callable[[bool], None] = lambda _: None,
    ) -> None:
        super().__init__("register", clock)
        self._register = register
        self._hand_on = hand_on
        self._every_s = every_s
        self._settle = settle
        self._sent = register.path.with_suffix(".sent")
        self._sign_again_ns: int | None = None
        self._unsigned = True  # what a command without the key entered while no daemon ran

    def work(self) -> None:
        """Until stopped: look for new lines each second; a last look on the way out."""
        place = stored = self._stored()
        while True:
            last_round = self.stopping.is_set()
            if stored != place:
                self._store(place)
                stored = place
            self._try(partial(self._settle, last_round))
            place = self._round(place)
            self._sign()
            self.progressed()
            if last_round:
                return
            self.clock.wait(self.stopping, self._every_s)

    def _round(self, place: _Place) -> _Place:
        """Hand on what follows `place`, in full parts and then in the file that grows; where the next round begins."""
        files = _files(self._register.path)
        if place.first > files[-1].first:  # the register was begun anew
            place = _Place(files[0].first, 0)
        for file in files:
            if file.first > place.first:
                place = _Place(file.first, 0)
            if file.first == place.first:
                place = self._hand_on_file(file, place)
        return place

    def _hand_on_file(self, file: _File, place: _Place) -> _Place:
        for line, offset in _whole_lines(file, place.offset):
            self._hand_on(line)
            place = _Place(place.first, offset)
            self._unsigned = not is_signed(line)
        return place

    def _sign(self) -> None:
        """Lines made by a program that cannot read the key are vouched for within a second; a key that fails is asked hourly."""
        now_ns = self.clock.monotonic_ns()
        if not self._unsigned or (self._sign_again_ns is not None and now_ns < self._sign_again_ns):
            return
        self._unsigned = False
        self._sign_again_ns = None
        if not self._try(self._register.sign_head):
            self._unsigned, self._sign_again_ns = True, now_ns + _SIGN_EVERY_NS

    def _try(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except RegisterError as error:  # the register has raised its alarm itself
            log.warning("%s", error)
            return False
        return True

    def _stored(self) -> _Place:
        files = _files(self._register.path)
        try:
            numbers = [int(number) for number in read_regular(self._sent, 3 * _MOST_DIGITS, follow=False).split()]
            first, offset = numbers if len(numbers) == 2 else (files[-1].first, *numbers)  # older versions had one file
            file = next(file for file in files if file.first == first)
            return _Place(first, min(offset, file.path.stat().st_size))
        except (OSError, ValueError, StopIteration):
            return _Place(files[0].first, 0)

    def _store(self, place: _Place) -> None:
        try:
            with Temporary(self._sent, mode=0o640) as fresh:
                fresh.write_text(f"{place.first} {place.offset}", encoding="ascii")
                fresh.replace(self._sent)
        except OSError as error:  # lines are then handed on once more after a restart: the centre folds them by number
            log.debug("%s: %s", self._sent, error)


class _File(Struct, frozen=True):
    """One file of the register; `grows`: it is no part yet, and may become one at any time."""

    path: Path
    first: int
    grows: bool


def _files(path: Path) -> list[_File]:
    """Oldest first; the last one is the file that grows, whether it is there yet or not."""
    found = [_File(part, first_of(part), grows=False) for part in parts(path)]
    begins = 1
    if found:
        begins = last_of(found[-1].path) + 1
    else:
        with suppress(OSError), open_regular(path) as file:
            begins = _begins_with(file) or begins
    return [*found, _File(path, begins, grows=True)]


def _begins_with(file: BinaryIO) -> int:
    """The number of the first line; 0 when it cannot be read."""
    try:
        return parse(os.pread(file.fileno(), _MOST_BYTES, 0).partition(b"\n")[0]).n
    except ValueError:
        return 0


def _whole_lines(file: _File, offset: int) -> Iterator[tuple[bytes, int]]:
    """The whole lines from `offset` on, without their newlines, each with the offset behind it; a torn one is left for later.

    Raises RegisterError when the register cannot be read.
    """
    try:
        with open_regular(file.path) as opened:
            if file.grows and _begins_with(opened) not in (0, file.first):
                return  # it has just become a part, and another one grows
            opened.seek(offset)
            for line in opened:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                yield line[:-1], offset
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(file.path, error) from error


def _unreadable(path: Path, error: OSError) -> RegisterError:
    return RegisterError(
        say("the register {path} cannot be read: {why}", path=path, why=system_words((error.strerror or str(error)).lower())),
        remedy=say("Check its disk and permissions"),
    )
