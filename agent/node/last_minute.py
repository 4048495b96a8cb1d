"""The end of a unit whose battery is empty: what it has to tell goes out first, then it ends in order and is switched off."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from agent.base.clock import NS, Clock

log = logging.getLogger(__name__)

TELLING_NS: Final = 10 * NS
"""The rung, the last position and a health message have been made by then."""
WAITING_NS: Final = 60 * NS
"""For a line that takes them: no battery waits for a hub that is out of reach."""


class LastMinute:
    """`is_wanted`: by the configuration. `all_told` says whether the hub has everything. The sensors' thread calls `empty`, the
    main thread `is_over`."""

    def __init__(self, all_told: Callable[[], bool], clock: Clock, *, is_wanted: bool) -> None:
        self._all_told = all_told
        self._clock = clock
        self._is_wanted = is_wanted
        self._since_ns: int | None = None

    def empty(self, is_empty: bool) -> None:
        """How the battery is now. One that is charged in time ends nothing."""
        if not is_empty:
            self._since_ns = None
        elif self._is_wanted and self._since_ns is None:
            self._since_ns = self._clock.monotonic_ns()
            log.warning("the battery is empty: the unit tells where it is, ends in order and is switched off")

    def is_over(self) -> bool:
        """Whether it is time to go."""
        since_ns = self._since_ns
        if since_ns is None:
            return False
        passed_ns = self._clock.monotonic_ns() - since_ns
        return passed_ns >= WAITING_NS or (passed_ns >= TELLING_NS and self._all_told())
