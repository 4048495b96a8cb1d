"""Registers of tests that are not about the register: one that remembers, one that refuses."""

from __future__ import annotations

from collections.abc import Mapping

from agent.base.errors import RegisterError
from agent.journal.entry import Act, Fact


class Remembered:
    """Keeps in memory what was entered, in order."""

    def __init__(self) -> None:
        self.entries: list[tuple[Act, str, dict[str, Fact]]] = []

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """See Journal."""
        self.entries.append((act, by, dict(facts)))


class Refusing:
    """A register on a full disk."""

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """See Journal."""
        raise RegisterError("the register cannot be written: no space left on device", remedy="Free space on its disk")
