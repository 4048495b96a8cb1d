"""A picture at once for whoever comes: keyframes on demand, one a second at most, since every viewer and the disk pay."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from agent.base.clock import NS, Clock
from agent.picture.access_unit import AccessUnit

AT_MOST_EVERY_NS: Final = NS


class KeyframeOnDemand:
    """Listens to the broadcast (its thread calls `offer`); any thread calls `request`. `ask` reaches the encoder, at once.

    A request that comes too early waits for its second; a keyframe that passes meanwhile serves it.
    """

    def __init__(self, ask: Callable[[], None], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._wanted = False
        self._asked_ns: int | None = None

    def request(self) -> None:
        """Somebody waits for a picture, and takes every frame from now on."""
        with self._lock:
            self._wanted = True
            self._ask_when_due()

    def offer(self, unit: AccessUnit) -> None:
        """The next frame passes."""
        with self._lock:
            if unit.keyframe:
                self._wanted = False
            elif self._wanted:
                self._ask_when_due()

    def offer_closing(self, closing: AccessUnit) -> None:
        """Nothing to see."""

    def _ask_when_due(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._asked_ns is None or now_ns - self._asked_ns >= AT_MOST_EVERY_NS:
            self._asked_ns = now_ns
            self._ask()
