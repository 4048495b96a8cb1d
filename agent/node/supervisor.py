"""Starts the components in order, watches their progress, and stops them in reverse within their deadlines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from enum import StrEnum

from agent.base.clock import NS, Clock
from agent.base.component import Component, ComponentState
from agent.node.signals import Wishes
from agent.ports.host import ServiceManager

log = logging.getLogger(__name__)

BEAT_S = 0.2
STOP_DEADLINE_S = 5.0
"""How long one component may take to stop."""
STOP_ALL_DEADLINE_S = 25.0
"""How long all of them may, so that the last in the order are closed before systemd's TimeoutStopSec=30 ends us."""
LEAST_STOP_S = 0.5
"""What each is given even when those before it used up the time of all: most stop at once."""
STALLED_S = 10.0
"""A critical component that did not get on for this long stops the watchdog's feed: the service manager restarts us."""


class Ending(StrEnum):
    """Why the daemon came to its end."""

    ASKED = "asked"
    TIME = "time"
    SOURCE_OVER = "source over"
    FAILED = "failed"
    EMPTY = "battery empty"


class Supervisor:
    """Runs on the main thread. `ready` says when the node does its job: the first masked frame is encoded; `empty` when
    its battery ends it."""

    def __init__(
        self,
        components: Sequence[Component],
        clock: Clock,
        service: ServiceManager,
        *,
        ready: Callable[[], bool],
        over: Callable[[], bool] = lambda: False,
        empty: Callable[[], bool] = lambda: False,
        sentence: Callable[[], str] = lambda: "running",
        stalled_s: float = STALLED_S,
        asked: Wishes | None = None,
    ) -> None:
        self.components: tuple[Component, ...] = tuple(components)
        self._clock = clock
        self._service = service
        self._ready = ready
        self._over = over
        self._empty = empty
        self._sentence = sentence
        self._stalled_s = stalled_s
        self._asked = asked or Wishes()  # what other threads of this process wish
        self._beat = threading.Event()  # never set: what the clock waits on
        self._started: list[Component] = []
        self._said_ready = False
        self._speechless = False

    def stop(self) -> None:
        """End the daemon at the next beat; any thread."""
        self._asked.stop = True

    def ask_reload(self) -> None:
        """Read the configuration again at the next beat; any thread."""
        self._asked.reload = True

    def run(
        self, *, for_s: float | None = None, reload: Callable[[], None] = lambda: None, signals: Wishes | None = None
    ) -> Ending:
        """Start everything, watch until the end, stop everything. Returns why it ended.

        `signals` are the wishes of the signals, if this process listens to them.
        """
        wishes = (self._asked,) if signals is None else (self._asked, signals)
        try:
            for component in self.components:
                if any(wish.stop for wish in wishes):
                    return Ending.ASKED
                component.start()
                self._started.append(component)
            return self._watch(for_s, reload, wishes)
        finally:
            self._service.stopping()
            self._stop_all()

    def follow(self, components: Sequence[Component]) -> None:
        """Run exactly these from now on, while the rest goes on; main thread.

        What is no longer there is stopped before what is new starts: both may want the same connection. A new one is stopped, at
        the end, as if it had stood in its place from the beginning.
        """
        before, self.components = self.components, tuple(components)
        for component in [each for each in reversed(self._started) if each not in components]:
            component.stop()
            if not component.join(STOP_DEADLINE_S):
                log.error("%s did not stop within %.0f s and is left behind", component.name, STOP_DEADLINE_S)
            self._started.remove(component)
        for component in [each for each in components if each not in before]:
            component.start()
            self._started.append(component)

    def _watch(self, for_s: float | None, reload: Callable[[], None], wishes: Sequence[Wishes]) -> Ending:
        end_ns = None if for_s is None else self._clock.monotonic_ns() + int(for_s * NS)
        feed_every_s = (self._service.watchdog_s or 2.0) / 2
        fed_ns = self._clock.monotonic_ns()
        while not any(wish.stop for wish in wishes):
            self._clock.wait(self._beat, BEAT_S)
            now_ns = self._clock.monotonic_ns()
            for component in self.components:
                if component.critical and component.state is ComponentState.FAILED:
                    log.critical("%s is dead: %s; stopping", component.name, component.fault)
                    return Ending.FAILED
            if self._is_reload_wished(wishes):
                self._take_up(reload)
            if not self._said_ready and self._ready():
                self._said_ready = True
                self._service.ready()
            if now_ns - fed_ns >= feed_every_s * NS:
                fed_ns = now_ns
                self._service.status(self._told())
                if not self._stalled():
                    self._service.alive()
                    if not self._said_ready:
                        self._service.still_starting(2 * feed_every_s + STALLED_S)
            if self._empty():
                return Ending.EMPTY
            if self._over():
                return Ending.SOURCE_OVER
            if end_ns is not None and now_ns >= end_ns:
                return Ending.TIME
        return Ending.ASKED

    def _told(self) -> str:
        """How the node fares. A line for `systemctl status` is worth no recording: what raises in it is logged once."""
        try:
            return self._sentence()
        except Exception as error:
            if not self._speechless:
                log.exception("how the node fares cannot be told")
            self._speechless = True
            return f"how the node fares cannot be told: {type(error).__name__}"

    @staticmethod
    def _is_reload_wished(wishes: Sequence[Wishes]) -> bool:
        """Whether anybody asked since the last look. The flags are taken down before the file is read: no wish is lost."""
        wished = False
        for wish in wishes:
            wished, wish.reload = wished or wish.reload, False
        return wished

    def _take_up(self, reload: Callable[[], None]) -> None:
        """READY=1 ends a reload for the service manager; before the first one of all it would promise a masked frame."""
        if self._said_ready:
            self._service.reloading()
        reload()
        if self._said_ready:
            self._service.ready()

    def _stalled(self) -> list[str]:
        stalled = [
            c.name
            for c in self.components
            if c.critical and c.state is not ComponentState.STOPPED and c.idle_s() > self._stalled_s
        ]
        if stalled:
            log.error("%s made no progress for %.0f s", ", ".join(stalled), self._stalled_s)
        return stalled

    def _stop_all(self) -> None:
        end_ns = self._clock.monotonic_ns() + round(STOP_ALL_DEADLINE_S * NS)
        for component in reversed([c for c in self.components if c in self._started]):
            try:
                component.stop()
            except Exception:  # the last loop there is: whoever comes after it still has a film to close
                log.exception("%s could not be asked to stop", component.name)
            left_s = (end_ns - self._clock.monotonic_ns()) / NS
            deadline_s = min(STOP_DEADLINE_S, max(LEAST_STOP_S, left_s))
            if not component.join(deadline_s):
                log.error("%s did not stop within %.1f s and is left behind", component.name, deadline_s)
