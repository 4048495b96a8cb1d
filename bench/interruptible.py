"""Long measurements can be stopped at any time and give what they have."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[None]:
    """Within it Ctrl-C and a polite kill both raise KeyboardInterrupt in the main thread, in the background too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.default_int_handler) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def deaf() -> None:
    """For worker processes: only the one that started them is interrupted, and ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
