"""A part of the daemon with a life of its own: a thread, a last-progress time, and an end that can be waited for."""

from __future__ import annotations

import errno
import logging
import threading
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.errors import VigieError
from agent.base.system_words import system_words

log = logging.getLogger(__name__)

SCARCE: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
"""What is short for a while, since somebody takes it all."""
_BREATH_S = 5.0
"""A pause before another try is no hang: so often a waiting component says that it is alive."""


class ComponentState(StrEnum):
    """The values of `components` in health."""

    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"
    STOPPED = "stopped"


class Component(ABC):
    """One named thread. Subclasses loop in `work` until `stopping` is set, and call `progressed` whenever they got on.

    `work` is entered again after a VigieError, once `retry_s` have passed (doubling up to `retry_most_s`); one that is not
    critical also after an OSError of SCARCE. After one that is `final`, or any other exception, which is a bug, the component
    is FAILED for good and the supervisor decides (a critical one ends the process).
    """

    critical = True
    retry_s = 1.0
    retry_most_s = 30.0

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.stopping = threading.Event()
        self.state = ComponentState.STARTING
        self.fault = ""
        self._progress_ns = clock.monotonic_ns()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def work(self) -> None:
        """The loop; returns when `stopping` is set or when the work is done for good."""

    def wake(self) -> None:  # noqa: B027 - a hook, most loops need none
        """Called by `stop` on the stopper's thread: cut short whatever `work` waits for."""

    def start(self) -> None:
        """Start the thread; once."""
        self._progress_ns = self.clock.monotonic_ns()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask for the end; idempotent, any thread, returns at once."""
        self.stopping.set()
        self.wake()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when it has not come in time."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def progressed(self) -> None:
        """The loop got on: the supervisor's watchdog counts from here."""
        self._progress_ns = self.clock.monotonic_ns()
        self.state = ComponentState.RUNNING

    def idle_s(self) -> float:
        """Seconds since the loop last got on."""
        return (self.clock.monotonic_ns() - self._progress_ns) / NS

    def _run(self) -> None:
        pause_s = self.retry_s
        while not self.stopping.is_set():
            began_ns = self.clock.monotonic_ns()
            try:
                self.work()
                break
            except (VigieError, OSError) as error:
                if isinstance(error, VigieError):
                    self.fault = error.words
                elif self.critical or error.errno not in SCARCE:
                    log.exception("%s failed and cannot go on", self.name)
                    self._fail(error)
                    return
                else:
                    self.fault = system_words((error.strerror or str(error)).lower())
                if isinstance(error, VigieError) and error.final:
                    self.state = ComponentState.FAILED
                    log.error("%s: %s", self.name, error)
                    return
                self.state = ComponentState.STARTING
                if self.clock.monotonic_ns() - began_ns > 60 * NS:  # it had worked for a while: no second failure of a row
                    pause_s = self.retry_s
                log.warning("%s: %s; trying again in %.0f s", self.name, error, pause_s)
                self._pause(pause_s)
                pause_s = min(2 * pause_s, self.retry_most_s)
            except Exception as error:
                log.exception("%s failed and cannot go on", self.name)
                self._fail(error)
                return
        self.state = ComponentState.STOPPED

    def _fail(self, error: Exception) -> None:
        self.fault = f"{type(error).__name__}: {error}"
        self.state = ComponentState.FAILED

    def _pause(self, pause_s: float) -> None:
        """A known fault that is tried again and reported is no hang: a restart would not free a full disk."""
        while pause_s > 0 and not self.stopping.is_set():
            self._progress_ns = self.clock.monotonic_ns()
            self.clock.wait(self.stopping, min(pause_s, _BREATH_S))
            pause_s -= _BREATH_S
        self._progress_ns = self.clock.monotonic_ns()
