"""What no signature followed at the end of a recording: which of it may honestly lack one, and which may not."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from agent.evidence.pending_units import Unit


class Dangling(Struct, frozen=True):
    """All units that were left, in their order: `inserted` go on where a signed GOP had ended, `unsigned` are GOPs that others
    follow, and only `waiting` may lack a signature that was still to come.
    """

    inserted: list[Unit]
    unsigned: list[Unit]
    waiting: list[Unit]

    @staticmethod
    def of(units: Sequence[Unit], *, after_whole_gop: bool) -> Dangling:
        """`after_whole_gop`: the last signature before them spoke for a GOP that was over. Units there are some."""
        starts = [number for number, unit in enumerate(units) if unit.gop_start]
        begins_at = 0
        if after_whole_gop:
            begins_at = starts[0] if starts else len(units)
        # A signature comes with the GOP that follows, or shortly after it began: one whole GOP and one frame may lack theirs.
        later = [start for start in starts if start > begins_at]
        waits_from = later[-1] if later else begins_at
        if later and units[waits_from].picture == units[-1].picture:
            waits_from = later[-2] if len(later) > 1 else begins_at
        return Dangling(list(units[:begins_at]), list(units[begins_at:waits_from]), list(units[waits_from:]))
