"""What feeds the unit, and for how long still. Drivers in hardware/ implement it.

What is missing is told, never guessed: no percentage is made from a voltage, and a figure out of its range is left out.
"""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct

PowerState = Literal["charging", "discharging", "full", "idle", "unknown"]


class PowerMetrics(Struct, frozen=True):
    """What the battery and its supply say; None where they do not say."""

    mains: bool | None = None
    """Whether something else than the battery feeds the unit now: the mains, a panel, a lamp post that is lit."""
    percent: float | None = None
    """Charge left, 0 to 100."""
    hours_left: float | None = None
    """Until it is empty at the present load; None while it charges, or is not known."""
    state: PowerState = "unknown"
    volts: float | None = None
    watts: float | None = None
    """What flows out of the battery; negative while it charges."""


class Battery(Protocol):
    """A battery with its gauge. One thread calls it."""

    def read(self) -> PowerMetrics:
        """As of now, within 2 s. DeviceError: gone, or talks nonsense, in words with a remedy. The next call tries again."""
        ...

    def close(self) -> None:
        """Let go of it. Idempotent."""
        ...
