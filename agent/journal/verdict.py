"""Judges a register: finds every line that was edited, dropped, moved or cut off, and says where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from agent.journal import chain
from agent.journal.chain import SignatureCheck
from agent.journal.register import Head, lines, read_head


class Flaw(StrEnum):
    """What may be wrong with a place in the register."""

    UNREADABLE = "unreadable"
    EDITED = "edited"
    MISSING = "missing"
    MOVED = "moved"
    CUT_OFF = "cut-off"
    HEAD_MISSING = "head-missing"
    TORN = "torn"
    FORGED = "forged"


class Finding(Struct, frozen=True):
    """One flaw at a line of the file (counted from 1; one past the end for what is missing there)."""

    line: int
    flaw: Flaw
    what: str


class Verdict(Struct, frozen=True):
    """`findings` empty: every line is as it was written, in order, and none is missing.

    Lines up to `signed_through` are vouched for by a signature that was checked; a later line is chained only.
    """

    lines: int
    findings: tuple[Finding, ...]
    signed_through: int
    signatures: int
    unknown_keys: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class _Walk:
    findings: list[Finding] = field(default_factory=list)
    expected: Head = field(default_factory=lambda: Head(0, chain.GENESIS))
    seen: dict[str, int] = field(default_factory=dict)
    signed_through: int = 0
    signatures: int = 0
    unknown: set[str] = field(default_factory=set)
    count: int = 0

    def flaw(self, flaw: Flaw, what: str, line: int | None = None) -> None:
        self.findings.append(Finding(self.count if line is None else line, flaw, what))


def verify(path: Path, check: SignatureCheck | None = None) -> Verdict:
    """Read the register at `path` once. A register that does not exist, beside a head that says so, is whole and empty."""
    walk = _Walk()
    _walk_lines(walk, lines(path), check)
    head = read_head(path)
    if head is None:
        if walk.count:
            walk.flaw(Flaw.HEAD_MISSING, "register.head is missing or unreadable: whether lines are cut off cannot be told")
    elif head.n > walk.expected.n:
        lost = head.n - walk.expected.n
        walk.flaw(Flaw.CUT_OFF, f"{lost} line{'s' if lost > 1 else ''} cut off after line {walk.count}", walk.count + 1)
    elif head.n == walk.expected.n and head.digest != walk.expected.digest and not walk.findings:
        walk.flaw(Flaw.EDITED, f"line {walk.count} was edited after it was written")
    if _ends_torn(path):
        walk.flaw(Flaw.TORN, "the last line is torn; the next entry sets it aside in register.torn", walk.count + 1)
    return Verdict(walk.count, tuple(walk.findings), walk.signed_through, walk.signatures, tuple(sorted(walk.unknown)))


def _walk_lines(walk: _Walk, raws: Iterable[bytes], check: SignatureCheck | None) -> None:
    for raw in raws:
        walk.count += 1
        try:
            line = chain.parse(raw)
        except ValueError as error:
            walk.flaw(Flaw.UNREADABLE, f"line {walk.count}: {error}")
            walk.expected = Head(walk.expected.n + 1, chain.digest(raw))
            continue
        _place(walk, line)
        if line.signed and check is not None:
            _check_signature(walk, line, check)
        walk.seen[line.digest] = walk.count
        walk.expected = Head(line.n, line.digest)


def _place(walk: _Walk, line: chain.Line) -> None:
    """Is this the line that must follow the one before it?"""
    at, expected = walk.count, walk.expected
    if line.prev == expected.digest and line.n == expected.n + 1:
        return
    if line.n > expected.n + 1:
        missing = line.n - expected.n - 1
        walk.flaw(Flaw.MISSING, f"{missing} line{'s' if missing > 1 else ''} missing before line {at} (number {line.n})")
    elif line.n <= expected.n:
        walk.flaw(Flaw.MOVED, f"line {at} (number {line.n}) stands after number {expected.n}: moved or repeated")
    elif at > 1:
        walk.flaw(Flaw.EDITED, f"line {at - 1} was edited after line {at} was written, or line {at} itself", at - 1)
    else:
        walk.flaw(Flaw.EDITED, "line 1 does not begin a register: it was edited, or lines before it are gone")


def _check_signature(walk: _Walk, line: chain.Line, check: SignatureCheck) -> None:
    good = check(line.key_id, line.signed_part, line.signature)
    if good is None:
        walk.unknown.add(line.key_id)
    elif good:
        walk.signatures += 1
        walk.signed_through = walk.count
    else:
        walk.flaw(Flaw.FORGED, f"the signature of line {walk.count} does not fit it")


def _ends_torn(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) == 0:
                return False
            file.seek(-1, 2)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False
