"""One driver that is asked now and then: its last answer, or in words why there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from agent.base.clock import NS, Clock
from agent.base.errors import DeviceError

log = logging.getLogger(__name__)

T = TypeVar("T")
REST_MOST_S: Final = 60.0


class Reading(Generic[T]):
    """One thread asks; the others may look at `value` and `fault`.

    A driver that fails is asked again after `every_s`, then after twice as long each time, up to a minute. Its failure is logged
    once, and its return.
    """

    def __init__(self, name: str, ask: Callable[[], T], every_s: float, clock: Clock) -> None:
        self.name = name
        self.value: T | None = None
        self.fault = ""
        self._ask = ask
        self._every_s = every_s
        self._clock = clock
        self._rest_s = every_s
        self._due_ns = clock.monotonic_ns()

    def turn(self) -> bool:
        """Ask, if it is time to; whether it answered."""
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._due_ns:
            return False
        try:
            value = self._ask()
        except DeviceError as error:
            self._failed(error.what, error)
            return False
        except Exception as error:
            # A bug in one driver costs its own reading: what else watches over the unit goes on.
            log.debug("%s failed", self.name, exc_info=True)
            self._failed(f"{type(error).__name__}: {error}", error)
            return False
        if self.fault:
            log.warning("%s answers again", self.name)
        self.value, self.fault, self._rest_s = value, "", self._every_s
        self._due_ns = now_ns + round(self._every_s * NS)
        return True

    def _failed(self, what: str, error: Exception) -> None:
        if self.fault != what:
            log.warning("%s: %s", self.name, error if isinstance(error, DeviceError) else what)
        self.value, self.fault = None, what
        self._due_ns = self._clock.monotonic_ns() + round(self._rest_s * NS)
        self._rest_s = min(2 * self._rest_s, max(REST_MOST_S, self._every_s))
