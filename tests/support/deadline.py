"""Waiting for something to come true, with an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_NEVER = threading.Event()


def until(condition: Callable[[], object], what: str, timeout_s: float = 120) -> None:
    """Return once `condition` holds; fail with `what` when it has not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in {timeout_s:.0f} s: {what}"
        _NEVER.wait(0.05)
