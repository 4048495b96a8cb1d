"""What a hub can tell from one node's sequence: duplicates, holes, and which holes the node has owned up to."""

from __future__ import annotations

from bisect import bisect_right

HOLES_MOST = 2000
EARLY_MOST = 100_000


class SequenceLedger:
    """Folds sequences in the order they come. Not thread-safe.

    Alarms pass a backlog, so a hole is no loss yet: it may fill. `missing` counts what is still out, `excused` what the
    node said it dropped or cannot account for.
    """

    def __init__(self) -> None:
        self.first: int | None = None
        self.highest = 0
        self.received = 0
        self.duplicates = 0
        self.excused = 0
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._early: set[int] = set()

    def take(self, sequence: int) -> bool:
        """Whether this sequence is new."""
        if self.first is None:
            self.first = self.highest = sequence
        elif sequence > self.highest:
            if sequence > self.highest + 1:
                self._open_hole(self.highest + 1, sequence - 1)
            self.highest = sequence
        elif not (self._early_one(sequence) if sequence < self.first else self._fill(sequence)):
            self.duplicates += 1
            return False
        self.received += 1
        return True

    @property
    def missing(self) -> int:
        """Sequences below the highest that have not come."""
        return sum(end - start + 1 for start, end in zip(self._starts, self._ends, strict=True))

    @property
    def unexplained(self) -> int:
        """Missing sequences that nobody has accounted for (yet)."""
        return max(0, self.missing - self.excused)

    def holes(self) -> list[tuple[int, int]]:
        """First and last of every run of missing sequences."""
        return list(zip(self._starts, self._ends, strict=True))

    def excuse(self, first: int, last: int, count: int) -> None:
        """The node says that `count` events between `first` and `last` will never come."""
        if self.first is not None and last >= self.first:
            self.excused += min(count, last - max(first, self.first) + 1)

    def restart(self) -> None:
        """The node began to count anew, below what it had reached."""
        self.__init__()  # type: ignore[misc]

    def _early_one(self, sequence: int) -> bool:
        """From a backlog older than our first: new once; what else lies there is not ours to miss."""
        if sequence in self._early or len(self._early) >= EARLY_MOST:
            return False
        self._early.add(sequence)
        return True

    def _open_hole(self, start: int, end: int) -> None:
        self._starts.append(start)
        self._ends.append(end)
        if len(self._starts) > HOLES_MOST:
            self._ends[0] = self._ends[1]
            del self._starts[1], self._ends[1]

    def _fill(self, sequence: int) -> bool:
        at = bisect_right(self._starts, sequence) - 1
        if at < 0 or sequence > self._ends[at]:
            return False
        start, end = self._starts[at], self._ends[at]
        pieces = [(a, b) for a, b in ((start, sequence - 1), (sequence + 1, end)) if a <= b]
        self._starts[at : at + 1] = [a for a, _ in pieces]
        self._ends[at : at + 1] = [b for _, b in pieces]
        return True
