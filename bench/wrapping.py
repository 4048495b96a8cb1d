"""What lies between the lens and the guard: nothing, marks that never move, an encoder that starves, slices that were lost.

Every wrapping is fixed to the sensor or comes after it: it is put on when the disturbance has moved the picture already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from agent.picture.planes import Plane
from bench import marks
from bench.disturbance import Painting, Stage

Truth = Callable[[int], Plane]
"""255 where the picture of a number shows a private space, had nothing been done to it."""


class Wrapping(Protocol):
    """One sequence's; asked for its pictures in order."""

    def reference(self, picture: Plane, n: int) -> Plane:
        """A picture of the commissioning as it reaches the guard; a new plane."""
        ...

    def deliver(self, picture: Plane, n: int) -> Plane:
        """The picture of a number as it reaches the guard; a new plane."""
        ...

    def corrupt(self, n: int) -> bool:
        """Whether the decoder said of the picture just delivered that some of it is made up."""
        ...

    def private(self, n: int, truth: Truth) -> Plane:
        """255 where the picture just delivered shows a private space."""
        ...


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


def _marked(kind: marks.Marks) -> Callable[[Stage], Wrapping]:
    return lambda stage: Marked(kind(stage))


WRAPPINGS: dict[str, Callable[[Stage], Wrapping]] = {
    "plain": lambda _: Nothing(),
    "overlay": _marked(marks.usual_overlay),
    "heavy": _marked(marks.heavy_overlay),
    "hood": _marked(marks.hood),
}
