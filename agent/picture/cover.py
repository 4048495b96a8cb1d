"""Where the masks lie in one picture: what the view guard decides and the privacy mask draws."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.base.phrase import say

Corners = NDArray[np.float64]
"""Shape (n, 2): x and y as fractions of the upright picture, 0..1 from the top left; warped ones may lie outside."""


CORRUPT = say("the camera's picture arrived damaged")
HELD = "held"
"""The state of the view told of a picture that is no new one: the one before stands still."""


class ViewState(StrEnum):
    """What the guard can prove of this very frame; the values are those of health's `privacy.view.state`."""

    VERIFIED = "verified"
    UNCERTAIN = "uncertain"
    MOVED = "moved"


class Cover(Struct, frozen=True, eq=False):
    """The masks of one picture. Two covers with the same `digest` draw the same samples.

    `polygons` are grown by `grow` (a fraction of the picture's width) when drawn. `view` holds the four corners of the
    validated view as they lie in this picture: what is outside of them was never validated and is covered; None when
    the view fills the picture. `opaque` gives the reason to cover everything, and is empty otherwise.
    `clear_by_statement` is True when the configuration holds the statement that this view needs no mask: without it
    the privacy mask takes a cover that has no polygon for a mistake and closes the picture.
    `holdable`, with `opaque`: the doubt is of this one picture, not of the reference nor of the masks, so that the last
    masked picture may stand still for a moment instead (agent/mask/held_frame.py).
    """

    polygons: tuple[Corners, ...]
    grow: float
    view: Corners | None
    opaque: str
    digest: str
    state: ViewState
    shift_px: float = 0.0
    uncertainty_px: float = 0.0
    clear_by_statement: bool = False
    holdable: bool = False

    @classmethod
    def closed(cls, reason: str, state: ViewState = ViewState.UNCERTAIN, *, holdable: bool = False) -> Cover:
        """Cover everything, and say why."""
        return cls((), 0.0, None, reason, "opaque", state, holdable=holdable)

    @classmethod
    def corrupt(cls) -> Cover:
        """For a picture that came damaged: nothing can be proved of it."""
        return cls.closed(CORRUPT, holdable=True)

    @classmethod
    def none_needed(cls) -> Cover:
        """Nothing to cover, by the statement `[privacy.none_needed]`; only what has read that statement may say so."""
        return cls((), 0.0, None, "", "none-needed", ViewState.VERIFIED, clear_by_statement=True)
