"""Daemon, timer and command line at once: several processes that write one register."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

from agent.base.clock import SystemClock
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.parts import lines
from agent.journal.register import Register

WRITERS = 3


def write_at_once(path: Path, count: int, **bounds: int) -> None:
    """So many entries by each; every one's own stand in the order in which it made them. `bounds`: the register's."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_enter, args=(str(path), f"w{i}", count, bounds)) for i in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    for i in range(WRITERS):
        assert [e.facts["i"] for e in map(parse, lines(path)) if e.by == f"w{i}"] == list(range(count))


def _enter(path: str, who: str, count: int, bounds: dict[str, int]) -> None:
    more: dict[str, Any] = dict(bounds)
    register = Register(Path(path), SystemClock(), **more)
    for i in range(count):
        register.enter(Act.COMMAND, who, {"i": i})
