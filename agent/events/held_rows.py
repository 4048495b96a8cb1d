"""Rows that no disk takes: held in memory, sent from there, and written down as soon as there is room."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from agent.events.row import Row
from agent.ports.event import Priority

log = logging.getLogger(__name__)

HELD_MOST = 5000


class HeldRows:
    """At most `HELD_MOST`; past that the oldest of the lowest class is `lost`, and stays named there until the account has it.

    The writer's thread changes it; the session's may read meanwhile, since `rows` is replaced as a whole.
    """

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.lost: list[tuple[Priority, int]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def hold(self, fresh: Sequence[Row], done: Collection[int], delivered: Collection[int]) -> list[int]:
        """Take more in, and let go of what is done with and, where room is short, of what the broker has; which those were."""
        held = self.rows | {row.sequence: row for row in fresh}
        made_way = list(held.keys() & {*done, *(delivered if len(held) > HELD_MOST else ())})
        for sequence in made_way:
            del held[sequence]
        while len(held) > HELD_MOST:
            lowest = min(held.values(), key=lambda row: (row.priority, row.sequence))
            del held[lowest.sequence]
            self.lost.append((lowest.priority, lowest.sequence))
            log.error("event %d of class %s is lost: neither disk nor memory has room", lowest.sequence, lowest.priority.name)
        self.rows = held
        return made_way

    def written(self) -> None:
        """The disk has them all, and the account those that were lost."""
        self.rows, self.lost = {}, []

    def after(self, priority: Priority, sequence: int, limit: int) -> list[Row]:
        """The oldest of a class above `sequence`."""
        return [row for row in self.rows.values() if row.priority is priority and row.sequence > sequence][:limit]
