"""What the centre may ask of the recordings: a bookmark, an export, a hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from agent.base.clock import NS, Clock, rfc3339, utc
from agent.base.errors import StorageError
from agent.base.phrase import say
from agent.base.topic import AT, WORDS, Topic
from agent.operations import payloads
from agent.operations.caller import Caller, Refusal, Refused
from agent.ports.event import Event, Priority, Value
from agent.recording.catalog import Catalog
from agent.recording.hold import Holds

BOOKMARK: Final = "RecordingConfig/vigie:Bookmark"
EXPORT_REQUESTED: Final = "RecordingConfig/vigie:ExportRequested"
_SPAN: Final = {"From": AT, "To": AT, "By": WORDS, "Command": WORDS}
TOPICS: Final = (
    Topic(
        BOOKMARK,
        "An incident of the centre.",
        {"Incident": WORDS, "Note": WORDS, **_SPAN},
        state=False,
        grade="property",
    ),
    Topic(
        EXPORT_REQUESTED,
        "Somebody shall export this span.",
        {"Reference": WORDS, **_SPAN},
        state=False,
        grade="property",
    ),
)
LONGEST_HOLD: Final = timedelta(days=31)
ON_DISK_WITHIN_S: Final = 5.0

RaiseDurably = Callable[[Event, float], int]
"""Raise, and wait at most so many seconds until the event is on disk: its sequence. OutboxError when that takes longer."""


class FootageRequests:
    """One method per verb, on the door's thread. VigieError says why something cannot be done."""

    def __init__(self, node_id: str, catalog: Catalog, holds: Holds, raise_durably: RaiseDurably, clock: Clock) -> None:
        self._node_id = node_id
        self._catalog = catalog
        self._holds = holds
        self._raise_durably = raise_durably
        self._clock = clock

    def bookmark(self, request: payloads.Bookmark, caller: Caller) -> payloads.Entered:
        """Tell of an incident, whether or not there is footage of it."""
        facts = {"Incident": request.incident, "Note": request.note}
        return self._enter(BOOKMARK, request.from_, request.to, facts, caller)

    def export(self, request: payloads.ExportRequest, caller: Caller) -> payloads.Entered:
        """Tell that somebody shall export footage; there must be some."""
        self._require_footage(request, caller)
        return self._enter(EXPORT_REQUESTED, request.from_, request.to, {"Reference": request.reference}, caller)

    def hold(self, request: payloads.Hold, caller: Caller) -> payloads.Held:
        """Keep footage from destruction; there must be some."""
        now = utc(self._clock.wall_ns())
        self._require_footage(request, caller)
        until = request.until or now + LONGEST_HOLD
        if until > now + LONGEST_HOLD:
            raise StorageError(
                say("a hold by command ends within {days} days", days=LONGEST_HOLD.days), remedy=say("give an earlier `until`")
            )
        span = payloads.wall_ns(request.from_), payloads.wall_ns(request.to)
        hold = self._holds.add(*span, request.reference, caller.by, payloads.wall_ns(until) // NS * NS)
        return payloads.Held(hold=hold.id, until=rfc3339(hold.until_ns or 0))

    def _enter(
        self, topic: str, begins: payloads.At, ends: payloads.At, facts: dict[str, str], caller: Caller
    ) -> payloads.Entered:
        data: dict[str, Value] = {**facts, "From": rfc3339(payloads.wall_ns(begins)), "To": rfc3339(payloads.wall_ns(ends))}
        data |= {"By": caller.by, "Command": caller.jti}
        event = Event(topic, self._clock.wall_ns(), {"Token": self._node_id}, data, None, Priority.PROPERTY)
        footage = bool(self._catalog.span(payloads.wall_ns(begins), payloads.wall_ns(ends)))
        return payloads.Entered(sequence=self._raise_durably(event, ON_DISK_WITHIN_S), footage=footage)

    def _require_footage(self, request: payloads.ExportRequest | payloads.Hold, caller: Caller) -> None:
        span = payloads.wall_ns(request.from_), payloads.wall_ns(request.to)
        if self._catalog.span(*span):
            return
        found = self._catalog.destroyed(*span)
        why = f"what was recorded then was destroyed ({found[0].reason})" if found else "nothing was recorded then"
        raise Refused(Refusal.NO_FOOTAGE, f"there is no footage of that span: {why}", by=caller.by, id=caller.id)
