"""The book of places: where films of this node were made, by which authorisation, and how long they may be kept.

A film belongs to one entry, by name; an entry is never changed but by a later one of another name. A node that hangs elsewhere,
and a unit that is put up anew, get an entry of their own before the first picture is recorded there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, structs

from agent.base.clock import NS
from agent.base.durable_file import replace_durably
from agent.base.errors import StorageError
from agent.base.phrase import say
from agent.base.regular_file import open_own, read_regular
from agent.base.system_words import system_words

_MOST_BYTES: Final = 4 << 20
_DAY_NS: Final = 86_400 * NS
_FILE: Final = "places.json"


class FilmPlace(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry. `site` in words; degrees of WGS 84; `since_ns` in Unix nanoseconds; what is not known is empty or None.

    `deployment` is empty for a node that hangs where it hangs. `retention_days` can only shorten what is configured.
    """

    name: str
    site: str = ""
    latitude: float | None = None
    longitude: float | None = None
    deployment: str = ""
    authorisation: str = ""
    basis: str = ""
    perimeter: str = ""
    retention_days: float | None = None
    since_ns: int = 0

    def is_where(self, other: FilmPlace) -> bool:
        """Whether both tell of the same place and ground."""
        return self._nameless() == other._nameless()

    def digest(self) -> str:
        """Of the place and its ground, whatever its name and since when: 12 hexadecimal digits."""
        return hashlib.sha256(msgspec.json.encode(self._nameless(), order="sorted")).hexdigest()[:12]

    def _nameless(self) -> FilmPlace:
        return structs.replace(self, name="", since_ns=0)


class PlaceBook:
    """Any thread, any process. Raises StorageError when the disk refuses, or the file is no book."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / _FILE

    def all(self) -> tuple[FilmPlace, ...]:
        """Oldest first; empty before the first."""
        try:
            content = read_regular(self.path, _MOST_BYTES, follow=False)
            return msgspec.json.decode(content, type=tuple[FilmPlace, ...])
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise _refused(self.path, system_words((error.strerror or str(error)).lower())) from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise _refused(self.path, say("it is damaged")) from None

    def add(self, place: FilmPlace) -> None:
        """Durable on return. One of the same name stays as it is."""
        with self._alone():
            known = self.all()
            if place.name not in {each.name for each in known}:
                self._write((*known, place))

    def here(self, place: FilmPlace) -> str:
        """The name of the entry that tells of this place, or of a new one, `place-DIGEST`.

        The name follows from the place: a book that was lost and begun anew gives no film of before another place.
        """
        with self._alone():
            known = self.all()
            for each in known:
                if each.is_where(place):
                    return each.name
            name = f"place-{place.digest()}"
            self._write((*known, structs.replace(place, name=name)))
            return name

    def _write(self, places: tuple[FilmPlace, ...]) -> None:
        try:
            replace_durably(self.path, msgspec.json.format(msgspec.json.encode(places), indent=1) + b"\n", mode=0o640)
        except OSError as error:
            raise _refused(self.path, system_words((error.strerror or str(error)).lower())) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            descriptor = open_own(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise _refused(self.path, system_words((error.strerror or str(error)).lower())) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def shorter_stays(book: PlaceBook, retention_days: float) -> dict[str, int]:
    """Nanoseconds that films of a place may be kept, where that is less than what is configured. Raises StorageError."""
    return {
        place.name: round(place.retention_days * _DAY_NS)
        for place in book.all()
        if place.retention_days is not None and place.retention_days < retention_days
    }


def _refused(path: Path, why: str) -> StorageError:
    return StorageError(
        say("the book of places {path} cannot be used: {why}", path=path, why=why),
        remedy=say("Check its disk and permissions; films keep the names of their places"),
    )
