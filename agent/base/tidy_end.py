"""How SIGTERM and SIGHUP end a command that has half-made files: as Ctrl-C does, so that none is left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, Never

_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


class _Ended(BaseException):
    """A signal came; its number is the argument."""


@contextmanager
def tidy_end() -> Iterator[None]:
    """Either signal leaves the block as an exception does, and then ends the process as it would have ended it.

    One that is ignored, as under nohup, or handled by somebody else stays so. Outside of the main thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [each for each in _SIGNALS if signal.getsignal(each) is signal.SIG_DFL]
    for each in taken:
        signal.signal(each, _end)
    try:
        yield
    except _Ended as ended:
        signal.signal(ended.args[0], signal.SIG_DFL)
        os.kill(os.getpid(), ended.args[0])
        raise
    finally:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)


def _end(number: int, _frame: FrameType | None) -> Never:
    for each in _SIGNALS:  # a second one, as a service manager or a hangup sends it, must not stop the tidying up
        if signal.getsignal(each) is _end:
            signal.signal(each, signal.SIG_IGN)
    raise _Ended(number)
