"""Which of a node's events came before, and whether they come from one node at all."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum
from typing import TypeVar

K = TypeVar("K", int, str)
REMEMBERED_MOST = 20_000


class Fold(Enum):
    """What an event is to those before it."""

    NEW = "new"
    DUPLICATE = "duplicate"
    TWIN = "twin"


class EventFold:
    """The last events under one node's name. Two of them are one exactly when their `event-id` is.

    A number is given out once, and an epoch that another followed hands out none above the other's first: what does is of two
    nodes.
    """

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._by_sequence: OrderedDict[int, None] = OrderedDict()
        self._epoch = ""
        self._first = 0
        self._left: set[str] = set()

    def take(self, epoch: str, sequence: int, event_id: str) -> Fold:
        """Fold one event."""
        if event_id in self._ids:
            return Fold.DUPLICATE
        _remember(self._ids, event_id)
        if epoch != self._epoch and epoch not in self._left:
            self.begin(epoch, sequence, anew=False)  # its story was not heard
        if sequence in self._by_sequence or (epoch in self._left and sequence >= self._first):
            return Fold.TWIN
        _remember(self._by_sequence, sequence)
        return Fold.NEW

    def begin(self, epoch: str, first: int, *, anew: bool) -> None:
        """The node tells of a new epoch; `anew`: it counts over numbers that it had given out."""
        self._left.add(self._epoch)
        self._left.discard(epoch)
        self._epoch, self._first = epoch, first
        if anew:
            self._by_sequence.clear()


def _remember(known: OrderedDict[K, None], key: K) -> None:
    known[key] = None
    if len(known) > REMEMBERED_MOST:
        known.popitem(last=False)
