"""Of which place and authorisation a film is: told by when it was captured, and kept with it for as long as it lies here."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class FilmOrigin(Protocol):
    """Any thread; cheap."""

    def at(self, captured_ns: int) -> str:
        """The name in the book of places of what was captured then, on the monotonic clock; empty where nobody knows."""
        ...

    def dark(self) -> str:
        """Why nothing more comes for now; empty while something may."""
        ...


class Darkness:
    """Whether it has been dark for so many looks in a row that whatever was captured before has come through. One thread."""

    def __init__(self, origin: FilmOrigin, looks: int = 5) -> None:
        self._origin = origin
        self._looks = looks
        self._seen = 0

    def lasts(self) -> bool:
        """Look, and say."""
        self._seen = self._seen + 1 if self._origin.dark() else 0
        return self._seen >= self._looks


class OnePlace(Struct, frozen=True):
    """A node that hangs where it hangs for as long as it runs."""

    name: str = ""

    def at(self, captured_ns: int) -> str:  # noqa: ARG002 - whenever it was
        """See FilmOrigin."""
        return self.name

    def dark(self) -> str:
        """See FilmOrigin."""
        return ""
