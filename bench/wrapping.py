"""What lies between the lens and the guard: nothing, marks that never move, an encoder that starves, slices that were lost.

Every wrapping is fixed to the sensor or comes after it: it is put on when the disturbance has moved the picture already.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.picture.planes import Plane
from bench import marks
from bench.coded import Lossy, LostSlices, Stale
from bench.disturbance import Painting, Stage
from bench.dome import ON_THE_DOME, grained
from bench.marks_changing import CHANGING
from bench.wrapping_port import Truth, Wrapping


class Nothing:
    """The picture as the sensor made it."""

    def reference(self, picture: Plane, n: int) -> Plane:  # noqa: ARG002
        """See Wrapping."""
        return picture

    def deliver(self, picture: Plane, n: int) -> Plane:  # noqa: ARG002
        """See Wrapping."""
        return picture

    def corrupt(self, n: int) -> bool:  # noqa: ARG002
        """See Wrapping."""
        return False

    def private(self, n: int, truth: Truth) -> Plane:
        """See Wrapping."""
        return truth(n)


class Marked(Nothing):
    """Marks over the picture. What they hide of a private space is counted as if it could be seen: the stricter way."""

    _LATER = 20_000
    """Frames from the commissioning to the sequence: its clock has gone on."""

    def __init__(self, paint: Painting) -> None:
        self._paint = paint

    def reference(self, picture: Plane, n: int) -> Plane:
        """See Wrapping."""
        return self._paint(picture, n)

    def deliver(self, picture: Plane, n: int) -> Plane:
        """See Wrapping."""
        return self._paint(picture, n + self._LATER)


class Both:
    """One wrapping around another: marks first, then the line that they are sent over."""

    def __init__(self, inner: Wrapping, outer: Wrapping) -> None:
        self._inner, self._outer = inner, outer

    def reference(self, picture: Plane, n: int) -> Plane:
        """See Wrapping."""
        return self._outer.reference(self._inner.reference(picture, n), n)

    def deliver(self, picture: Plane, n: int) -> Plane:
        """See Wrapping."""
        return self._outer.deliver(self._inner.deliver(picture, n), n)

    def corrupt(self, n: int) -> bool:
        """See Wrapping."""
        return self._inner.corrupt(n) or self._outer.corrupt(n)

    def private(self, n: int, truth: Truth) -> Plane:
        """See Wrapping."""
        return self._outer.private(n, lambda m: self._inner.private(m, truth))


def marked(paint: marks.Marks) -> Callable[[Stage], Wrapping]:
    """These marks over the picture."""
    return lambda stage: Marked(paint(stage))


WRAPPINGS: dict[str, Callable[[Stage], Wrapping]] = {
    "plain": lambda _: Nothing(),
    "overlay": lambda stage: Marked(marks.usual_overlay(stage)),
    "heavy": lambda stage: Marked(marks.heavy_overlay(stage)),
    "hood": lambda stage: Marked(marks.hood(stage)),
    **{name: marked(paint) for name, paint in CHANGING.items()},
    **{name: marked(grained(paint)) for name, paint in ON_THE_DOME.items()},
    "lossy": Lossy,
    "lost-slices": LostSlices,
    "stale": Stale,
}


def wrapped(names: str, stage: Stage) -> Wrapping:
    """One sequence's wrapping: a name, or several from the inside to the outside, as in overlay+lossy."""
    made: Wrapping = Nothing()
    for number, name in enumerate(names.split("+")):
        own = Stage(np.random.default_rng((int(stage.rng.integers(1 << 30)), number)), stage.height, stage.event)
        made = WRAPPINGS[name](own) if number == 0 else Both(made, WRAPPINGS[name](own))
    return made
