"""Each proof is taken once: a bounded memory of those that were."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

MOST_OF_ONE: Final = 2048
"""Of one lease: nearly seven requests a second for five minutes."""
MOST: Final = 8192


class TakenOnce:
    """One thread. Times are those of the caller's clock, in ns; what is past its time is forgotten, since it proves nothing."""

    def __init__(self) -> None:
        self._taken: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        self._count: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._taken)

    def knows(self, lease: str, proof: bytes) -> bool:
        """Whether it was taken before."""
        return (lease, proof) in self._taken

    def take(self, lease: str, proof: bytes, until_ns: int) -> bool:
        """Remember it until then; False when there is no room, and it must not be taken."""
        if self._count.get(lease, 0) >= MOST_OF_ONE or len(self._taken) >= MOST:
            return False
        self._taken[lease, proof] = until_ns
        self._count[lease] = self._count.get(lease, 0) + 1
        return True

    def forget(self, before_ns: int) -> None:
        """What is past its time. The oldest lie in front; one that is good for longer holds the ones behind it a little."""
        while self._taken:
            (lease, proof), until_ns = next(iter(self._taken.items()))
            if until_ns > before_ns:
                return
            del self._taken[lease, proof]
            self._count[lease] -= 1
            if not self._count[lease]:
                del self._count[lease]
