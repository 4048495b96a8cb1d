"""What is odd about a film: a place where players may show something else than what was signed."""

from __future__ import annotations

from msgspec import Struct


class Oddity(Struct, frozen=True):
    """`where` names box or frame, `what` says what is wrong and what players may make of it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
