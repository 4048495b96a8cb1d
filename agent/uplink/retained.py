"""What brokers keep of this node: each topic that was told retained, so that it is cleared once the node bears another name."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from agent.base.durable_file import replace_durably
from agent.base.regular_file import read_regular
from agent.events.row import Row

log = logging.getLogger(__name__)

BROKERS_MOST = 8
TOPICS_MOST = 500
_LONGEST_FILE_BYTES = 1 << 20


class Retained:
    """One thread at a time: one session's after the other's. `path` None remembers nothing beyond this run.

    A topic is on disk before it is told. Where the disk refuses it is told all the same: a ghost at the hub is the lesser evil.
    """

    def __init__(self, path: Path | None, node_id: str, sequence: int) -> None:
        self._path = path
        self._node_id = node_id
        self._told: dict[str, list[str]] = {}
        self._since = 0
        self._read(sequence)

    def still_holds(self, row: Row) -> bool:
        """Whether a row was raised under the node's present id: another's state is nobody's any more."""
        return row.sequence > self._since

    def tell(self, broker: str, topics: Iterable[str]) -> None:
        """These are about to be told to this broker, to be retained."""
        known = self._told.setdefault(broker, [])
        fresh = [topic for topic in topics if topic not in known]
        if fresh:
            known.extend(fresh)
            del known[:-TOPICS_MOST]
            self._write()

    def forget(self, broker: str, topic: str) -> None:
        """It keeps nothing there any more."""
        known = self._told.get(broker, [])
        if topic in known:
            known.remove(topic)
            self._write()

    def stale(self, broker: str, root: str, keep: Collection[str]) -> list[str]:
        """What was told to this broker and is neither below `root` nor one of those to keep."""
        return [topic for topic in self._told.get(broker, []) if not topic.startswith(f"{root}/") and topic not in keep]

    def _read(self, sequence: int) -> None:
        if self._path is None:
            return
        try:
            document: Any = json.loads(read_regular(self._path, _LONGEST_FILE_BYTES))
            found = msgspec.convert(document, _File)
        except FileNotFoundError:
            self._write()
            return
        except (OSError, ValueError, RecursionError) as error:
            log.error("%s cannot be read (%s): what brokers keep under a former name stays there", self._path, error)
            return
        self._told = found.told
        self._since = found.since
        if found.node != self._node_id:
            log.info("this node was %s before: what brokers keep of it under that name is cleared", found.node)
            self._since = sequence
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        while len(self._told) > BROKERS_MOST:
            del self._told[next(iter(self._told))]
        document = _File(self._node_id, self._since, {broker: topics for broker, topics in self._told.items() if topics})
        try:
            replace_durably(self._path, msgspec.json.encode(document), mode=0o640)
        except OSError as error:
            log.error("%s cannot be written: %s", self._path, error.strerror or error)


class _File(msgspec.Struct):
    node: str
    since: int
    told: dict[str, list[str]]
