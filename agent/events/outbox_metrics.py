"""How the outbox fares, as health tells it."""

from __future__ import annotations

from msgspec import Struct

from agent.ports.health import OutboxHealth


class OutboxMetrics(Struct, frozen=True):
    """What health says of the outbox. `dropped` counts through the database's life; `fault` is empty when all is well.

    `classes` has the last number of each class within the epoch.
    """

    pending: int
    oldest_age_s: float | None
    dropped: int
    sequence: int
    epoch: str
    fault: str
    classes: dict[str, int]

    def health(self, set_aside: int = 0) -> OutboxHealth:
        """The part of health; `set_aside`: how many rows the broker does not take for now."""
        return OutboxHealth(
            pending=self.pending,
            oldest_age_s=self.oldest_age_s,
            dropped=self.dropped,
            sequence=self.sequence,
            epoch=self.epoch,
            trouble=self.fault,
            set_aside=set_aside,
            classes=self.classes,
        )
