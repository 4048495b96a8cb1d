"""Every trick there is, and the one switch: `VIGIE_FOOTPRINT=off` leaves all of them out, `VIGIE_FOOTPRINT=-NAME,-NAME` some."""

from __future__ import annotations

import os
from enum import StrEnum

SWITCH = "VIGIE_FOOTPRINT"


class Trick(StrEnum):
    """One way to hold less memory; what is filmed, kept and told is the same without it."""

    ONE_HEAP = "one-heap"
    """All threads share one heap: separate ones hold back what the others could use."""
    NO_HUGE_PAGES = "no-huge-pages"
    """A huge page is resident in whole for the first byte written to it, and x264 asks for them."""
    TRIM = "trim"
    """What importing left free between what is still used goes back."""
    UNMAP = "unmap"
    """Program pages that nothing was written to go back: importing ran through every library once."""

    @property
    def is_on(self) -> bool:
        """Whether the switch leaves it in."""
        left_out = os.environ.get(SWITCH, "").split(",")
        return "off" not in left_out and f"-{self}" not in left_out
