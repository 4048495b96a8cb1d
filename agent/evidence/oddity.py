"""What is odd about a film: a place where players may show something else than what was signed."""

from __future__ import annotations

from msgspec import Struct

from agent.base.phrase import joined


class Oddity(Struct, frozen=True):
    """`where` names box or frame, `what` says what is wrong and what players may make of it."""

    where: str
    what: str

    @property
    def words(self) -> str:
        """Both: a Phrase, as far as `what` is one."""
        return joined(": ", (self.where, self.what))
