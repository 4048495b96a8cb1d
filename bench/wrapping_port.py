"""What the corpus asks of whatever lies between the lens and the guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from agent.picture.planes import Plane

Truth = Callable[[int], Plane]
"""255 where the picture of a number shows a private space, had nothing been done to it. Read-only."""


class Wrapping(Protocol):
    """One sequence's; asked for its pictures in order."""

    def reference(self, picture: Plane, n: int) -> Plane:
        """A picture of the commissioning as it reaches the guard."""
        ...

    def deliver(self, picture: Plane, n: int) -> Plane:
        """The picture of a number as it reaches the guard; a new plane, or the given one."""
        ...

    def corrupt(self, n: int) -> bool:
        """Whether the camera's driver says of the picture just delivered that some of it is made up."""
        ...

    def private(self, n: int, truth: Truth) -> Plane:
        """255 where the picture just delivered shows a private space; asked once for every picture, in order. Read-only."""
        ...
