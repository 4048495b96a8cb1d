"""Signals as wishes: held back from the process's first instruction to its last, and waited for by one thread.

A handler would run between any two instructions of the main thread, and its signal would interrupt the system call that a
library waits in, on whichever thread. Held back, a signal touches nothing but the thread that waits for it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Final, NoReturn

HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Wishes:
    """Two flags that any thread sets and the main thread's next beat reads."""

    def __init__(self) -> None:
        self.stop = False
        self.reload = False


class SignalListener:
    """Hears SIGTERM and SIGINT as the wish to stop, SIGHUP as the wish to reload; made on the main thread, after `hold_back`.

    Until `keep` is called nothing must be kept: then a wish to stop ends the process at once, with 0, whatever it does.
    """

    def __init__(self) -> None:
        self.wishes = Wishes()
        self._deciding = threading.Lock()
        self._keeps = False
        threading.Thread(target=self._listen, name="signals", daemon=True).start()

    def keep(self) -> None:
        """From here on the process ends in order: whoever runs it looks at `wishes`."""
        with self._deciding:
            self._keeps = True

    def _listen(self) -> None:
        while True:
            if signal.sigwaitinfo(HEARD).si_signo == signal.SIGHUP:
                self.wishes.reload = True
                continue
            with self._deciding:
                if not self._keeps:
                    leave_process(0)
                self.wishes.stop = True


def hold_back() -> None:
    """No thread of this process is given a signal from here on, nor what it becomes by exec; main thread, before others start.

    Programs that are started meanwhile inherit it: end them with SIGKILL.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)


def leave_process(code: int) -> NoReturn:
    """End the process at once, after everything that must be kept is kept; any thread.

    The interpreter's own end would stop threads in the middle of a library's C++ code, which aborts the process.
    """
    for handler in logging.getLogger().handlers:
        handler.flush()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # nobody reads it any more
    os._exit(code)
