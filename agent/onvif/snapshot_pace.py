"""Snapshots at their pace: one picture a second is made at most, and all who wait for it share it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from agent.stream.snapshot import Still

EVERY_S: Final = 1.0


class SnapshotPace:
    """In the server's event loop. `take` blocks until the next masked frame has come, on a thread of its own.

    Nobody is given a picture from before they asked, as masks may have changed since.
    """

    def __init__(self, take: Callable[[], Still]) -> None:
        self._take = take
        self._coming: asyncio.Task[Still] | None = None
        self._taking = asyncio.Lock()
        self._not_before = 0.0

    async def next(self) -> Still:
        """The next picture. CameraError when none comes."""
        if self._coming is None:
            self._coming = asyncio.ensure_future(self._made())
            self._coming.add_done_callback(_heard)
        return await asyncio.shield(self._coming)

    async def _made(self) -> Still:
        async with self._taking:
            loop = asyncio.get_running_loop()
            await asyncio.sleep(max(0.0, self._not_before - loop.time()))
            self._coming = None  # who comes from now on waits for the one after this
            self._not_before = loop.time() + EVERY_S
            return await asyncio.to_thread(self._take)


def _heard(done: asyncio.Task[Still]) -> None:
    """An error that everybody has left before is nobody's."""
    if not done.cancelled():
        done.exception()
