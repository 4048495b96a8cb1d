"""A state that must last before it counts, in either direction."""

from __future__ import annotations

from agent.base.clock import NS


class Hysteresis:
    """On once the condition has held for `on_after_s`, off once it has been away for `off_after_s`. One thread."""

    def __init__(self, *, on_after_s: float, off_after_s: float) -> None:
        self._after_ns = {True: round(on_after_s * NS), False: round(off_after_s * NS)}
        self.state: bool | None = None
        self._wish_since_ns: int | None = None

    def observe(self, condition: bool | None, now_ns: int) -> bool:
        """Take one reading (None: it cannot be told, which changes nothing); True when `state` changed, or came to be known."""
        if condition is None or condition is self.state:
            self._wish_since_ns = None
            return False
        if self.state is None and not condition:
            self.state = False  # all is well from the start: said at once, nothing waits for it
            return True
        if self._wish_since_ns is None:
            self._wish_since_ns = now_ns
        if now_ns - self._wish_since_ns < self._after_ns[condition]:
            return False
        self.state, self._wish_since_ns = condition, None
        return True
