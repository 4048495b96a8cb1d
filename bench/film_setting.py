"""What a node can be set to, and what can happen to it, as far as its films could show: every setting, and a part of them.

The part holds every combination of values of any so many axes (a covering array, found greedily).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct


class Authority(StrEnum):
    """Who vouches for the node's key."""

    OWN = "own"
    TOWN = "town"
    DEPARTMENT = "department"
    """One below the town's: an intermediate certificate."""


class Ending(StrEnum):
    """What becomes of the first recording."""

    RESTARTED = "restarted"
    """It is stopped in order, and another follows."""
    KILLED = "killed"
    """Its process gets kill -9, and another follows."""
    GOING_ON = "going on"
    """Films are handed out while it goes on."""


class FilmSetting(Struct, frozen=True):
    """One of each. A segment ends with the first keyframe after `segment_s`."""

    fps: int
    keyframe_s: int
    segment_s: int
    kbps: int | None
    """None: by quality (crf)."""
    authority: Authority
    ending: Ending

    def __str__(self) -> str:
        rate = "crf" if self.kbps is None else f"{self.kbps}k"
        return f"{self.fps}fps-key{self.keyframe_s}-segment{self.segment_s}-{rate}-{self.authority}-{self.ending}"


AXES: Final[tuple[tuple[object, ...], ...]] = (
    (10, 25),
    (1, 2, 5, 10),
    (2, 7, 20, 60),
    (None, 60),
    tuple(Authority),
    tuple(Ending),
)


def every_setting() -> list[FilmSetting]:
    """The whole product."""
    return [FilmSetting(*values) for values in itertools.product(*AXES)]  # type: ignore[arg-type]


def covering(axes: int) -> list[FilmSetting]:
    """A few settings with every combination of values of any `axes` axes among them; always the same ones."""
    together = list(itertools.combinations(range(len(AXES)), axes))
    missing = {(which, values) for which in together for values in itertools.product(*(AXES[axis] for axis in which))}
    candidates = list(itertools.product(*AXES))
    chosen: list[FilmSetting] = []
    while missing:
        # The shortest of the best: a minute of film costs the most.
        best = max(candidates, key=lambda values: (len(_holds(values, together) & missing), -_cost(values)))
        missing -= _holds(best, together)
        chosen.append(FilmSetting(*best))  # type: ignore[arg-type]
    return chosen


def _holds(values: Sequence[object], together: Sequence[tuple[int, ...]]) -> set[tuple[tuple[int, ...], tuple[object, ...]]]:
    return {(which, tuple(values[axis] for axis in which)) for which in together}


def _cost(values: Sequence[object]) -> int:
    """How many pictures, roughly."""
    fps, keyframe_s, segment_s = (int(str(value)) for value in values[:3])
    return fps * (keyframe_s + segment_s)
