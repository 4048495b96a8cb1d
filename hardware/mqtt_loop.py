"""One selector under one MQTT connection or thousands, and the threads that open connections for it."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardware.mqtt_paho import PahoTransport

log = logging.getLogger(__name__)

MISC_EVERY_S = 4.0


class PahoLoop:
    """The selector that all its transports share, and the threads that open connections for them. One thread turns it.

    Each reload of the broker's settings leaves a loop behind: its descriptors go with its last transport.
    """

    def __init__(self, openers: int = 1) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        os.set_blocking(self._wake_w, False)
        self._selector.register(self._wake_r, selectors.EVENT_READ)
        self._attached: dict[int, PahoTransport] = {}
        self._done: deque[Callable[[], None]] = deque()
        self._jobs: deque[Callable[[], None]] = deque()
        self._counting = threading.Lock()
        self._openers = openers
        self._opening = 0
        self._misc_at = 0.0
        self._misc_every_s = MISC_EVERY_S
        self.stirred: dict[PahoTransport, None] = {}
        weakref.finalize(self, _give_back, self._selector, self._wake_r, self._wake_w)

    def turn(self, timeout_s: float) -> list[PahoTransport]:
        """Wait for and do network work; the transports that have something to tell (`PahoTransport.collect`)."""
        if self.stirred or self._done:
            timeout_s = 0.0
        for key, mask in self._selector.select(timeout_s):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_r, 4096)
            else:
                key.data.serve(mask)
        while self._done:
            self._done.popleft()()
        now = time.monotonic()
        if now >= self._misc_at:
            self._misc_at = now + self._misc_every_s
            for transport in list(self._attached.values()):
                transport.look_after()
        stirred, self.stirred = list(self.stirred), {}
        return stirred

    def look_after_every(self, seconds: float) -> None:
        """A broker wants to hear from us more often than we would by ourselves: never less often again."""
        if seconds > 0:
            self._misc_every_s = min(self._misc_every_s, seconds)

    def wake(self) -> None:
        """Cut `turn` short; any thread."""
        with contextlib.suppress(BlockingIOError, OSError):
            os.write(self._wake_w, b"!")

    def in_background(self, job: Callable[[], Callable[[], None]]) -> None:
        """Run `job` on an opener thread, and what it returns on the loop's thread."""

        def run() -> None:
            self._done.append(job())
            self.wake()

        with self._counting:
            self._jobs.append(run)
            if self._opening >= self._openers:
                return
            self._opening += 1
        threading.Thread(target=self._open_all, name="mqtt-opener", daemon=True).start()

    def _open_all(self) -> None:
        """Until nothing is left to open: a thread that waited for more would keep the loop for ever."""
        while True:
            with self._counting:
                if not self._jobs:
                    self._opening -= 1
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception:
                log.exception("a connection could not be opened")  # a bug; whoever waits for it gives up by itself

    def attach(self, transport: PahoTransport, fd: int) -> None:
        """Listen on a connected socket."""
        self._attached[fd] = transport
        self._selector.register(fd, selectors.EVENT_READ, transport)

    def want_write(self, fd: int, *, wanted: bool) -> None:
        """Listen for room to write as well, or no more."""
        transport = self._attached.get(fd)
        if transport is not None:
            mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if wanted else 0)
            self._selector.modify(fd, mask, transport)

    def detach(self, fd: int) -> None:
        """Listen no more; idempotent."""
        if self._attached.pop(fd, None) is not None:
            # A client that is collected after the loop closes its socket too, and the selector knows none any more.
            with contextlib.suppress(KeyError):
                self._selector.unregister(fd)


def _give_back(selector: selectors.BaseSelector, *pipe: int) -> None:
    selector.close()
    for fd in pipe:
        os.close(fd)
