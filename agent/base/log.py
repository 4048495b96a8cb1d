"""Log lines: readable as sentences, and bounded in number so that a fault which repeats cannot fill a disk.

Modules log through `logging.getLogger(__name__)`. A record's component is its thread's name, since a component is a
thread; a record about an event carries the event's id: `log.info("...", extra={"event_id": event_id})`.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass

from agent.base.clock import NS, Clock, utc

# One fault that repeats: this many lines as they come, then one a window that counts the rest.
FIRST_LINES = 5
WINDOW_S = 60.0
# All lines together, whatever they say. 60 a minute of 200 bytes are 17 MB a day at the very worst.
LINES_PER_WINDOW = 60
# Different lines remembered at once; the one not heard for longest is forgotten.
REMEMBERED = 256


def component(record: logging.LogRecord) -> str:
    """The component that speaks: its thread's name, `main` for the first thread."""
    name = record.threadName or "main"
    return "main" if name == "MainThread" else name


class Sentence(logging.Formatter):
    """`09:14:02 camera: no picture for 5 s; opening it again`, in UTC; a severity only when it is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and the traceback of a bug below it."""
        severity = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        line = f"{utc(int(record.created * NS)):%H:%M:%S} {component(record)}: {severity}{record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


@dataclass(slots=True)
class _Heard:
    """One kind of line within its window."""

    window_ends_ns: int
    lines: int = 0
    withheld: int = 0


class FoldedLog(logging.Handler):
    """Hands the first lines of a kind to `outlet`, then one a window that says how many it stands for.

    A kind is a logger, a severity and the text before its arguments are filled in. Any thread. Memory is bounded by
    `REMEMBERED` kinds. Errors are folded too, but pass the bound on all lines together.
    """

    def __init__(self, outlet: logging.Handler, clock: Clock) -> None:
        super().__init__()
        self._outlet = outlet
        self._clock = clock
        self._heard: OrderedDict[tuple[str, int, str], _Heard] = OrderedDict()
        self._all = _Heard(0)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on, with the number it stands for in its text, or withhold it. Called under the handler's lock."""
        withheld = self._withheld_before(record)
        if withheld is None:
            return
        if withheld:
            told = logging.makeLogRecord(record.__dict__)
            told.msg = f"{record.getMessage()} ({withheld} more like this were not written)"
            told.args = ()
            record = told
        self._outlet.handle(record)

    def flush(self) -> None:
        """Wait, within bounds, until the outlet has written what it was given."""
        self._outlet.flush()

    def _withheld_before(self, record: logging.LogRecord) -> int | None:
        """How many lines of this kind were withheld and are to be told now; None when this one is withheld too."""
        now_ns = self._clock.monotonic_ns()
        heard = self._kind(record, now_ns)
        withheld = 0
        if now_ns >= heard.window_ends_ns:
            withheld, heard.withheld = heard.withheld, 0
            # A kind that was folded stays at one line a window until it has been silent for a whole one.
            silent = now_ns >= heard.window_ends_ns + int(WINDOW_S * NS)
            heard.lines = FIRST_LINES - 1 if withheld and not silent else 0
            heard.window_ends_ns = now_ns + int(WINDOW_S * NS)
        if now_ns >= self._all.window_ends_ns:
            self._all = _Heard(now_ns + int(WINDOW_S * NS))
        too_many = self._all.lines >= LINES_PER_WINDOW and record.levelno < logging.ERROR
        if heard.lines >= FIRST_LINES or too_many:
            heard.withheld += 1 + withheld
            return None
        heard.lines += 1
        self._all.lines += 1
        return withheld

    def _kind(self, record: logging.LogRecord, now_ns: int) -> _Heard:
        kind = (record.name, record.levelno, str(record.msg))
        heard = self._heard.setdefault(kind, _Heard(now_ns + int(WINDOW_S * NS)))
        self._heard.move_to_end(kind)
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        return heard
