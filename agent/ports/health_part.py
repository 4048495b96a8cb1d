"""What every part of the health document is."""

from __future__ import annotations

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every part: frozen, its names are the outer surface."""

    def states(self) -> tuple[object, ...]:
        """What of this part is sent at once when it changes."""
        return ()
