"""Counts every frame that was offered for recording, once: on disk, lost, or still on its way."""

from __future__ import annotations

import threading

from msgspec import Struct


class RecordingCount(Struct, frozen=True):
    """At one instant. `offered == recorded + lost + queued + pending`, always.

    `recorded` frames are on disk for good; `queued` ones wait for the recorder; `pending` ones are in its open fragment.
    """

    offered: int
    recorded: int
    lost: int
    queued: int
    pending: int


class RecordingTally:
    """The producer's thread counts what it offers, the recorder's what becomes of it; any thread reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offered = self._refused = self._done = self._recorded = self._dropped = 0

    def offered(self, *, refused: bool) -> None:
        """A frame came; `refused`: there was no room for it."""
        with self._lock:
            self._offered += 1
            self._refused += refused

    def done(self, *, kept: bool) -> None:
        """The recorder has dealt with the next queued frame: it is in the open fragment, or dropped."""
        with self._lock:
            self._done += 1
            self._dropped += not kept

    def recorded(self, frames: int) -> None:
        """So many pending frames are on disk."""
        with self._lock:
            self._recorded += frames

    def given_up(self) -> None:
        """Whatever is pending will never be on disk."""
        with self._lock:
            self._dropped = self._done - self._recorded

    def count(self) -> RecordingCount:
        """The state now."""
        with self._lock:
            return RecordingCount(
                offered=self._offered,
                recorded=self._recorded,
                lost=self._refused + self._dropped,
                queued=self._offered - self._refused - self._done,
                pending=self._done - self._recorded - self._dropped,
            )
