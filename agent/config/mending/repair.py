"""What became of one statement: its lines as they should read, and what was wrong with each."""

from __future__ import annotations

from msgspec import Struct


class Repair(Struct, frozen=True):
    """`count` lines from `row` on (from 0) should read as `lines`. `what` and `remedy` say why.

    `sure` is False when `lines` only show what is wanted: nothing is judged by them."""

    row: int
    count: int
    lines: tuple[str, ...]
    what: str
    remedy: str = ""
    sure: bool = True
