"""How fast requests are answered: a flood of them waits, so that the recording, which shares this process, does not."""

from __future__ import annotations

from typing import Final

MOST_A_SECOND: Final = 100
BURST: Final = 200
"""So many are answered at once after a pause, and so many a second from then on."""


class RequestPace:
    """One thread. Whoever asks waits as long as it is told; how many may wait is bounded by the connections."""

    def __init__(self) -> None:
        self._due = 0.0

    def wait_s(self, now: float) -> float:
        """Seconds until the turn of one more request comes, at this time of a clock that never goes back."""
        self._due = max(self._due + 1 / MOST_A_SECOND, now - (BURST - 1) / MOST_A_SECOND)
        return max(0.0, self._due - now)
