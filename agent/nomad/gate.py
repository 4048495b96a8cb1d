"""The gate around the guard: what the watch has ruled, for as long as the watch answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from agent.base.clock import NS, Clock
from agent.base.phrase import say
from agent.nomad.judgement import OTHER_VIEW, Ruling
from agent.stream.shutter import Light

GOOD_FOR_NS: Final = 10 * NS
"""A ruling that nobody has renewed for so long counts no more: the watch hangs."""
UNWATCHED: Final = say("nobody watches over the deployment")
OUT_OF_PERIOD: Final = say("the period of the deployment is over, or has not begun")
_NOT_YET: Final = Ruling(Light.DARK, say("the deployment has not been looked at yet"))


class _Ruled(Struct, frozen=True):
    """A ruling with what it was made for: anything else is covered until the next one."""

    ruling: Ruling
    view: object
    from_ns: int
    until_ns: int
    good_until_ns: int


class DeploymentGate:
    """Implements Shutter. The watch's thread calls `rule`, anybody the rest; a ruling is replaced in one step.

    `fingerprint` is that of the view in force. It is asked after the guard judged a frame, so that no frame is open by a
    reference that came after the ruling.
    """

    def __init__(self, fingerprint: Callable[[], object], clock: Clock) -> None:
        self._fingerprint = fingerprint
        self._clock = clock
        self._now = _Ruled(_NOT_YET, None, 0, 0, 0)

    def rule(self, ruling: Ruling, view: object = None, from_ns: int = 0, until_ns: int = 0) -> None:
        """From here on. An open one holds for this view and within these times alone."""
        self._now = _Ruled(ruling, view, from_ns, until_ns, self._clock.monotonic_ns() + GOOD_FOR_NS)

    @property
    def ruling(self) -> Ruling:
        """The last one."""
        return self._now.ruling

    @property
    def light(self) -> Light:
        """What a frame of this instant would get."""
        if self.dark():
            return Light.DARK
        return Light.OPAQUE if self.covered() else Light.OPEN

    def dark(self) -> str:
        """See Shutter."""
        ruling = self._now.ruling
        return ruling.why if ruling.light is Light.DARK else ""

    def covered(self) -> str:
        """See Shutter."""
        now = self._now
        if now.ruling.light is not Light.OPEN:
            return now.ruling.why
        if self._clock.monotonic_ns() >= now.good_until_ns:
            return UNWATCHED
        if not now.from_ns <= self._clock.wall_ns() < now.until_ns:
            return OUT_OF_PERIOD
        return "" if self._fingerprint() == now.view else OTHER_VIEW
