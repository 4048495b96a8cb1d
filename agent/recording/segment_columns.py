"""How a segment stands in the catalog's database: its columns, its spans as JSON, and the row that is made of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from agent.base.clock import ClockQuality
from agent.recording.row import Gap, MaskSpan, SegmentRow, SegmentState

HELD: Final = (
    "EXISTS (SELECT 1 FROM hold WHERE released_ns IS NULL AND hold.from_ns < s.wall_to_ns AND hold.to_ns > s.wall_from_ns)"
)
"""A condition on segment `s`: a hold that is in force overlaps it."""

PLACE: Final = "coalesce((SELECT place FROM film_place WHERE film_place.segment = s.id), '')"
"""Of which place segment `s` is; empty where nobody knows."""

OF_PLACE: Final = "s.id IN (SELECT segment FROM film_place WHERE place = ?)"
"""A condition on segment `s`: it is of that place."""

COLUMNS: Final = (
    "s.id, s.path, s.state, s.boot, s.media_from_ns, s.media_to_ns, s.wall_from_ns, s.wall_to_ns, s.clock, s.trusted_from_ns,"
    f" s.bytes, s.frames, s.sha256, s.masks, s.gaps, {HELD}, {PLACE}"
)
"""What `row_of` takes, in its order."""


def row_of(values: Sequence[Any], root: Path) -> SegmentRow:
    """The values of COLUMNS as a row; a relative path is one below `root`."""
    segment_id, path, state, boot, media_from, media_to, wall_from, wall_to, clock, trusted = values[:10]
    size, frames, sha256, masks, gaps, held, place = values[10:]
    return SegmentRow(
        id=segment_id,
        path=root / path,
        state=SegmentState(state),
        boot=boot,
        media_from_ns=media_from,
        media_to_ns=media_to,
        wall_from_ns=wall_from,
        wall_to_ns=wall_to,
        clock=ClockQuality(clock),
        trusted_from_ns=trusted,
        bytes=size,
        frames=frames,
        sha256=sha256,
        masks=tuple(MaskSpan(a, b, digest, bool(opaque), view) for a, b, digest, opaque, view in json.loads(masks)),
        gaps=tuple(Gap(a, b) for a, b in json.loads(gaps)),
        held=bool(held),
        place=place,
    )


def spans_text(of: Sequence[MaskSpan | Gap]) -> str:
    """As the columns `masks` and `gaps` hold them; `row_of` reads them back."""
    return json.dumps(
        [[s.from_ns, s.to_ns, s.digest, s.opaque, s.view] if isinstance(s, MaskSpan) else [s.from_ns, s.to_ns] for s in of],
        separators=(",", ":"),
    )
