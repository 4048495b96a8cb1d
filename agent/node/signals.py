"""Signals as wishes: what a handler may touch, from the process's first instant to its last."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType
from typing import Final, NoReturn

CAUGHT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Wishes:
    """Two flags that signal handlers set and the main thread's next beat reads.

    A handler runs between any two instructions of the main thread, also while that thread holds a lock: of an event, of
    the log, of a queue. One that took the same lock would wait for itself for ever. So handlers set a flag, and nothing else.
    """

    def __init__(self) -> None:
        self.stop = False
        self.reload = False

    def catch(self) -> None:
        """Take SIGTERM and SIGINT as the wish to stop, SIGHUP as the wish to reload; main thread."""
        signal.signal(signal.SIGTERM, self._wish_stop)
        signal.signal(signal.SIGINT, self._wish_stop)
        signal.signal(signal.SIGHUP, self._wish_reload)

    def _wish_stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as signal.signal calls it
        self.stop = True

    def _wish_reload(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as signal.signal calls it
        self.reload = True


def leave_process(code: int) -> NoReturn:
    """End the process at once, after everything that must be kept is kept; main thread.

    The interpreter's own end would give each signal its default back, so that a late SIGHUP kills what has ended well. It
    would also stop threads in the middle of a library's C++ code, which aborts the process.
    """
    for number in CAUGHT:
        signal.signal(number, signal.SIG_IGN)
    for handler in logging.getLogger().handlers:
        handler.flush()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # nobody reads it any more
    os._exit(code)
