"""What health says of the recordings."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from agent.base.clock import NS, rfc3339
from agent.recording.catalog import Catalog
from agent.recording.hold import EvidenceHold, active_holds
from agent.recording.retention import Shortfall

_DAY_NS: Final = 86_400 * NS


class RecordingMetrics(Struct, frozen=True):
    """The stock, the holds in force, and how many days the disk falls short of (None: none)."""

    oldest_ns: int | None
    newest_ns: int | None
    bytes: int
    segments: int
    days: float
    shortfall: Shortfall | None
    holds: tuple[EvidenceHold, ...]

    @property
    def oldest(self) -> str | None:
        """RFC 3339."""
        return None if self.oldest_ns is None else rfc3339(self.oldest_ns)

    @property
    def newest(self) -> str | None:
        """RFC 3339."""
        return None if self.newest_ns is None else rfc3339(self.newest_ns)


def recording_metrics(catalog: Catalog, shortfall: Shortfall | None = None) -> RecordingMetrics:
    """Read them now; a few milliseconds at 14 days of minutes. StorageError when the catalog cannot be read."""
    stock = catalog.stock()
    days = (stock.newest_ns - stock.oldest_ns) / _DAY_NS if stock.newest_ns is not None and stock.oldest_ns is not None else 0.0
    return RecordingMetrics(
        stock.oldest_ns, stock.newest_ns, stock.bytes, stock.segments, days, shortfall, tuple(active_holds(catalog))
    )
