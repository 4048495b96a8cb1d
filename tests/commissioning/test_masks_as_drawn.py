"""How much of the picture the masks cover: a union, as drawn."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert
from msgspec.structs import replace

from agent.commissioning.line import Grade
from agent.commissioning.masks import judge_masks
from agent.config.model import Config, Privacy
from agent.config.polygon import Polygon
from agent.identity.node_key import IdentityDirectory
from agent.mask.as_drawn import mask_share

SLACK_PX = 4.0


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    """A rectangle."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


# Left and right, top and bottom, in tenths of the picture: two different ones, in order.
side = st.integers(0, 9).flatmap(lambda low: st.tuples(st.just(low), st.integers(low + 1, 10)))
boxes_drawn = st.tuples(side, side).map(lambda s: (s[0][0], s[1][0], s[0][1], s[1][1]))


@settings(deadline=None, max_examples=40)
@given(st.lists(boxes_drawn, min_size=1, max_size=5))
def test_the_share_is_that_of_the_union(boxes: list[tuple[int, int, int, int]]) -> None:
    """Overlapping masks count once; the samples along each edge, which are drawn whole, are the only excess."""
    width, height = 320, 240
    cells = {(x, y) for left, top, right, bottom in boxes for x in range(left, right) for y in range(top, bottom)}
    share = mask_share([box(*(edge / 10 for edge in corners)) for corners in boxes], 0.0, width, height)
    wide = [((right - left) * width / 10, (bottom - top) * height / 10) for left, top, right, bottom in boxes]
    excess = sum((across + 2 * SLACK_PX) * (down + 2 * SLACK_PX) - across * down for across, down in wide) / (width * height)
    assert len(cells) / 100 - 1e-9 <= share <= len(cells) / 100 + excess


def test_the_margin_counts_and_no_mask_covers_nothing() -> None:
    """What is drawn on every frame is what is told."""
    small = [box(0.4, 0.4, 0.6, 0.6)]
    assert mask_share([], 0.1, 1920, 1080) == 0
    assert mask_share(small, 0.0, 1920, 1080) == pytest.approx(0.04, rel=0.1)
    assert mask_share(small, 0.05, 1920, 1080) > 0.09


def test_no_mask_no_statement_and_too_much_are_told(config: Config, identity: IdentityDirectory) -> None:
    """Opaque for want of masks is a failure; a statement is enough; a covered street deserves a question."""

    def grade(**privacy: object) -> tuple[Grade, float]:
        changed = replace(config, privacy=convert(privacy, Privacy))
        line = next(line for line in judge_masks(changed, identity, None) if line.check == "masks")
        return line.grade, float(line.metrics["cover_percent"] or 0)

    assert grade() == (Grade.FAIL, 0)
    assert grade(none_needed={"by": "AM", "on": date(2026, 1, 1), "why": "a blind wall only"}) == (Grade.OK, 0)
    found, percent = grade(mask=[{"name": "all", "polygon": [list(p) for p in box(0, 0, 1, 0.9)]}])
    assert (found, 91 < percent < 95) == (Grade.WARN, True)
