"""Lines of a file exchanged for others: a remedy that can be pasted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Edit(Struct, frozen=True):
    """The `count` lines behind the first `after` ones become `lines`; `count` 0 only adds."""

    after: int
    count: int
    lines: tuple[str, ...]


def apply(lines: Sequence[str], edits: Iterable[Edit]) -> list[str]:
    """`lines` with every edit made, each by the line numbers of before. Of two edits of the same lines the first is made."""
    made = list(lines)
    touched: set[int] = set()
    for edit in sorted(dict.fromkeys(edits), key=lambda e: (e.after, e.count > 0), reverse=True):
        rows = set(range(edit.after, edit.after + edit.count))
        if not rows & touched:
            made[edit.after : edit.after + edit.count] = edit.lines
            touched |= rows
    return made
