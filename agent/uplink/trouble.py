"""What health says of the line: each matter by itself, so that one that goes well hides no other."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.uplink.pace import Pace
from agent.uplink.reasons import REFUSED_FROM, in_words
from agent.uplink.topics import NodeTopics


class _Refusal(Struct, frozen=True):
    place: str
    words: str
    ends_ns: int


class Trouble:
    """`said` on any thread, the rest on the session's. While there is no connection, only why counts."""

    def __init__(self, topics: NodeTopics, clock: Clock, pace: Pace) -> None:
        self._topics = topics
        self._clock = clock
        # What rests is refused again before this is over, and so stays in health; an answer is refused once.
        self._lasts_ns = round(2 * pace.rest_s * NS)
        self._line = "not connected yet"
        self._audience = ""
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
        self._commands = f"commands cannot be received: {in_words(refused[0])}" if refused else ""

    def nobody_listens(self) -> None:
        """The broker has nobody to give events to."""
        self._audience = "nobody is subscribed to this node's events"

    def somebody_listens(self) -> None:
        """It has."""
        self._audience = ""

    def refused(self, topic: str, code: int) -> None:
        """The broker would not take something on `topic`: stands until it does, or twice as long as a refused row rests."""
        place = self._place(topic)
        words = f"{place} is refused: {in_words(code)}"
        self._refusal = _Refusal(place, words, self._clock.monotonic_ns() + self._lasts_ns)

    def accepted(self, topic: str) -> None:
        """The broker took something on `topic`."""
        if self._refusal is not None and self._refusal.place == self._place(topic):
            self._refusal = None

    def said(self) -> str:
        """In words, empty when all is well."""
        line, refusal = self._line, self._refusal
        if line:
            return line
        stands = refusal is not None and self._clock.monotonic_ns() < refusal.ends_ns
        return "; ".join(filter(None, (self._commands, self._audience, refusal.words if refusal and stands else "")))

    def _place(self, topic: str) -> str:
        """Every still has a topic of its own: to the access list they are one."""
        stills = self._topics.still("")
        return f"{stills}+" if topic.startswith(stills) else topic
