"""Between whoever logs and the outlet: a bounded queue, so that an outlet which blocks holds up nobody.

A pipe that nobody reads, a terminal stopped with Ctrl-S, a journal that hangs: each blocks a write for ever. The thread
that takes frames from the camera must not wait for it, nor the one that shall end the process.
"""

from __future__ import annotations

import logging
import threading

from agent.base.clock import NS, Clock
from agent.base.queues import BoundedQueue, Closed

WAITING_MOST = 500
"""Lines that may wait for the outlet; those that come meanwhile are counted."""
FLUSH_S = 1.0
"""How long the end of the process waits for the outlet."""


class LogQueue(logging.Handler):
    """Hands records to `outlet` on a thread of its own, in order. `unwritten` counts those for which there was no room.

    Any thread may log; none waits. `flush` waits up to FLUSH_S until what is queued has been written.
    """

    def __init__(self, outlet: logging.Handler, clock: Clock) -> None:
        super().__init__()
        self._outlet = outlet
        self._clock = clock
        self._waiting: BoundedQueue[logging.LogRecord] = BoundedQueue(WAITING_MOST)
        self._written = threading.Condition()
        self._queued = self._done = 0
        self.unwritten = 0
        self._told = 0
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record with its text as of now. Called under the handler's lock."""
        said = logging.makeLogRecord(record.__dict__)
        said.msg, said.args = record.getMessage(), ()
        if self.unwritten > self._told:
            said.msg = f"{said.msg} ({self.unwritten - self._told} lines before this one could not be written in time)"
        if self._waiting.offer(said):
            self._queued += 1
            self._told = self.unwritten
        else:
            self.unwritten += 1

    def flush(self) -> None:
        """Wait until all that was queued is written, but never longer than FLUSH_S."""
        end_ns = self._clock.monotonic_ns() + round(FLUSH_S * NS)
        with self._written:
            while self._done < self._queued and (left_ns := end_ns - self._clock.monotonic_ns()) > 0:
                self._written.wait(left_ns / NS)

    def close(self) -> None:
        """End the thread once the queue is empty."""
        self._waiting.close()
        super().close()

    def _write(self) -> None:
        while True:
            try:
                record = self._waiting.get(60.0)
            except Closed:
                return
            if record is None:
                continue
            try:
                self._outlet.handle(record)
            finally:
                with self._written:
                    self._done += 1
                    self._written.notify_all()
