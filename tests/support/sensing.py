"""What tests of the sensors share: a register that may refuse, and a unit that leans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.base.errors import RegisterError
from agent.journal.entry import Act, Fact
from agent.ports.accelerometer import STANDARD_GRAVITY, Acceleration


@dataclass
class Pages:
    """A register that can be told to refuse."""

    entries: list[Mapping[str, Fact]] = field(default_factory=list)
    refuses: bool = False

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        if self.refuses:
            raise RegisterError("the disk is full")
        assert (act, by) == (Act.SAVINGS_CHANGED, "node")
        self.entries.append(facts)


def hanging(degrees: float, shock: float = 0.0) -> Acceleration:
    """Leaning so far."""
    lean = math.radians(degrees)
    return Acceleration(STANDARD_GRAVITY * math.sin(lean), 0.0, STANDARD_GRAVITY * math.cos(lean), shock)
