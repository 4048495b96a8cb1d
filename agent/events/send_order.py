"""Which rows the session sends next: none twice at a time, each class in its sequence, alarms past a backlog."""

from __future__ import annotations

from agent.events.outbox_store import OutboxStore
from agent.events.row import Kind, Row
from agent.ports.event import Priority


class SendOrder:
    """The session's thread. The writer's may look at `in_flight`, and takes out of `finished` what it has forgotten.

    `in_flight` are the sequences that the session has, `finished` those that the broker has or will never take.
    """

    def __init__(self, store: OutboxStore) -> None:
        self.in_flight: set[int] = set()
        self.finished: set[int] = set()
        self._store = store
        self._cursor = dict.fromkeys(Priority, 0)
        self._attached = store.attached

    def rewind(self) -> None:
        """Look again from the oldest row on: one that was passed by may be taken again."""
        self._cursor = dict.fromkeys(Priority, 0)

    def take(self, room: int, ordinary_room: int, still_room: int | None = None) -> list[Row]:
        """The next rows to send, at most `room`, of which `ordinary_room` that are no alarms; they are in flight from now on.

        All that waits, in its sequence; where that is more than may go, alarms pass the backlog. `still_room`: how many of them
        may be stills, which nothing follows in the sequence's order; None: as many as there are.
        """
        if self._attached != self._store.attached:  # another file: what lies in it may be older than all that was sent
            self._attached = self._store.attached
            self.rewind()
        taken: list[Row] = []
        backlog = False
        for priority in sorted(Priority, reverse=True):
            if not self._store.tally.count[priority] and not self._store.volatile:
                continue
            limit = room - len(taken)
            if priority is not Priority.ALARM:
                limit = min(limit, ordinary_room)
            is_still = priority is Priority.TELEMETRY and still_room is not None
            rows = self._next_of(priority, min(limit, still_room or 0) if is_still else limit)
            backlog = backlog or (not is_still and len(rows) >= limit)
            if priority is not Priority.ALARM:
                ordinary_room -= len(rows)
            taken.extend(rows)
        self.in_flight.update(row.sequence for row in taken)
        if backlog:
            return taken
        return sorted(taken, key=lambda row: (still_room is not None and row.kind is Kind.STILL, row.sequence))

    def _next_of(self, priority: Priority, limit: int) -> list[Row]:
        found: list[Row] = []
        while len(found) < limit:
            rows = self._store.pending(priority, self._cursor[priority], limit - len(found))
            if not rows:
                break
            self._cursor[priority] = rows[-1].sequence
            found.extend(r for r in rows if r.sequence not in self.finished and r.sequence not in self.in_flight)
        return found
