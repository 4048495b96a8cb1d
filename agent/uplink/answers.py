"""What the broker's answer to a publication means for the row it is, and for health."""

from __future__ import annotations

from agent.ports.mqtt import Acknowledged
from agent.uplink.flight import Flight, Sent
from agent.uplink.instructions import Forget, GiveUp, Instruction, Release
from agent.uplink.reasons import NEVER_ACCEPTED, NOBODY_SUBSCRIBED, PASSING, REFUSED_FROM, in_words
from agent.uplink.trouble import Trouble


class Answers:
    """Part of the session's core: one thread."""

    def __init__(self, flight: Flight, trouble: Trouble) -> None:
        self._flight = flight
        self._trouble = trouble

    def take(self, event: Acknowledged) -> list[Instruction]:
        """An answer of an earlier connection matches nothing."""
        self._flight.heard()
        if not self._flight.is_out(event.tag):
            return []
        sent = self._flight.land(event.tag)
        if sent.clears:
            return []
        if event.code >= REFUSED_FROM:
            return self._refused(sent, event.code)
        if not self._flight.rests:  # a quota takes one row and refuses the next
            self._trouble.accepted(sent.topic)
        if event.code < NOBODY_SUBSCRIBED:
            self._flight.found_audience()
            self._trouble.somebody_listens()
        if sent.sequence is None:
            return []
        if event.code == NOBODY_SUBSCRIBED and not self._flight.is_listened_to:
            self._flight.hush()
            self._trouble.nobody_listens()
            return [Release()]
        return [Forget(sent.sequence)]

    def _refused(self, sent: Sent, code: int) -> list[Instruction]:
        self._trouble.refused(sent.topic, code)
        if sent.sequence is None:
            return []
        if code in NEVER_ACCEPTED:
            return [GiveUp(sent.sequence, in_words(code))]
        # Refused for now: it keeps its place in the outbox. What lasts (quota, access list) lets it rest, and others go on.
        if code not in PASSING or not self._flight.hold_back(sent.sequence):
            self._flight.park(ordinary=sent.ordinary)
        return []
