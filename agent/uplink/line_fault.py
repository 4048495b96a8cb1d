"""What health says of the line: each matter by itself, so that one that goes well hides no other."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.base.phrase import joined, say
from agent.uplink.pace import Pace
from agent.uplink.reasons import REFUSED_FROM, in_words


class _Refusal(Struct, frozen=True):
    place: str
    words: str
    ends_ns: int


class LineFault:
    """`said` on any thread, the rest on the session's. While there is no connection, only why counts."""

    def __init__(self, clock: Clock, pace: Pace) -> None:
        self._clock = clock
        # What is refused once, as an answer is, and is not tried again.
        self._lasts_ns = round(2 * pace.rest_s * NS)
        self._line: str = say("not connected yet")
        self._audience: str = ""
        self._commands = ""
        self._refusal: _Refusal | None = None

    def no_line(self, why: str) -> None:
        """There is no connection."""
        self._line = why

    def opened(self) -> None:
        """There is one. What was refused before stands until it goes through, or is over."""
        self._line = self._audience = ""

    def subscribed(self, codes: Sequence[int]) -> None:
        """The broker's answer to the subscription to commands."""
        refused = [code for code in codes if code >= REFUSED_FROM]
        self._commands = say("commands cannot be received: {why}", why=in_words(refused[0])) if refused else ""

    def nobody_listens(self) -> None:
        """The broker has nobody to give events to."""
        self._audience = say("nobody is subscribed to this node's events")

    def somebody_listens(self) -> None:
        """It has."""
        self._audience = ""

    def refused(self, place: str, code: int) -> None:
        """The broker would not take something of `place`: stands until it does, or twice as long as a refused row rests."""
        self._stand(place, say("{place} is refused: {why}", place=place, why=in_words(code)))

    def too_large(self, place: str, packet_bytes: int, most: int) -> None:
        """Something of `place` was not sent."""
        self._stand(
            place,
            say(
                "{place} is left out: {packet_bytes} bytes are more than the broker takes ({most})",
                place=place,
                packet_bytes=packet_bytes,
                most=most,
            ),
        )

    def _stand(self, place: str, words: str) -> None:
        self._refusal = _Refusal(place, words, self._clock.monotonic_ns() + self._lasts_ns)

    def accepted(self, place: str) -> None:
        """The broker took something of `place`."""
        if self._refusal is not None and self._refusal.place == place:
            self._refusal = None

    def said(self, *more: str) -> str:
        """In words, with `more` that holds while there is a connection; empty when all is well."""
        line, refusal = self._line, self._refusal
        if line:
            return line
        stands = refusal is not None and self._clock.monotonic_ns() < refusal.ends_ns
        return joined("; ", filter(None, (self._commands, self._audience, refusal.words if refusal and stands else "", *more)))
