"""The mobile line: how it stands, and how many bytes passed. Drivers in hardware/ implement it.

What is missing is told, never guessed. Another cell than yesterday's is evidence that a unit was moved, never proof.
"""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct

SimState = Literal["ready", "locked", "missing", "unknown"]


class LinkMetrics(Struct, frozen=True):
    """What the modem says of itself; None and empty where it does not say. No number of the subscriber or the SIM is read."""

    state: str = "unknown"
    """In the modem manager's word: connected, registered, searching, locked, failed ..."""
    sim: SimState = "unknown"
    technology: str = ""
    """The newest one in use: 5G, LTE, UMTS, GSM ..."""
    operator: str = ""
    roaming: bool | None = None
    signal_percent: int | None = None
    """0 to 100, as the modem manager judges it."""
    rsrp_dbm: float | None = None
    """Power of the cell's reference signal; -80 is good, -115 is the edge."""
    rsrq_db: float | None = None
    cell: str = ""
    """Operator code, area and cell, as in 20801/0F2A/00A81B03."""

    @property
    def is_connected(self) -> bool:
        """Whether it carries data."""
        return self.state == "connected"


class Modem(Protocol):
    """A mobile modem. One thread calls it."""

    def read(self) -> LinkMetrics:
        """How it stands now; within 2 s. DeviceError: no modem, or whoever manages it is gone, in words with a remedy."""
        ...

    def close(self) -> None:
        """Let go of it. Idempotent."""
        ...


class LinkBytes(Struct, frozen=True):
    """What an interface has carried since its counters began; a decrease means that they began anew."""

    received: int
    sent: int


class LinkCounters(Protocol):
    """The kernel's counters of one interface. One thread calls it."""

    def read(self) -> LinkBytes | None:
        """As of now, within 50 ms; None while the interface is not there (a modem that is off has none)."""
        ...
