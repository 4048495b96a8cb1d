"""Keeps a register within bounds: a full file is set aside, and of many parts the oldest goes, save where it carries a hold."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.base.errors import RegisterError
from agent.base.phrase import say
from agent.journal.chain import parse
from agent.journal.entry import Act, Fact
from agent.journal.parts import lines_of, parts

PART_BYTES: Final = 16 << 20
MOST_PARTS: Final = 8
"""Beside the file that grows: 144 MB at most, some five months of a node that destroys a segment each minute."""

_HOLDS: Final = (b'"act":"held"', b'"act":"released"')


def gone_with(part: Path) -> dict[str, Fact]:
    """What the register says of its own lines when `part` is the oldest that is kept: what lies before it, and its digest."""
    try:
        first = parse(next(lines_of(part)))
    except (OSError, ValueError, StopIteration) as error:
        raise RegisterError(
            say("{part} does not begin with a line of a register", part=part), remedy=say("`vigie register --verify` tells")
        ) from error
    return {"gone": first.n - 1, "gone digest": first.prev}


def surplus(path: Path, most: int) -> list[Path]:
    """The oldest parts that may go so that `most` are left. Raises OSError.

    A part with a hold that is still in force stays, and all behind it: when the catalog is lost, holds are set again from it.
    """
    found = parts(path)
    many = found[: max(0, len(found) - most)]
    for index, part in enumerate(many):
        held = _holds(part)
        if held and held - _released([*found[index:], path]):
            return many[:index]
    return many


def _holds(part: Path) -> set[str]:
    return {hold for act, hold in _hold_lines(part) if act == Act.HELD}


def _released(files: list[Path]) -> set[str]:
    return {hold for each in files if each.exists() for act, hold in _hold_lines(each) if act == Act.RELEASED}


def _hold_lines(file: Path) -> list[tuple[str, str]]:
    found = []
    for raw in lines_of(file):
        if any(sign in raw for sign in _HOLDS):
            try:
                line = parse(raw)
            except ValueError:
                continue
            found.append((line.act, str(line.facts.get("hold"))))
    return found
