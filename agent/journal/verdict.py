"""Judges a register: finds every line that was edited, dropped, moved or cut off, and says where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from agent.base.phrase import many, say
from agent.base.regular_file import open_regular
from agent.journal import chain
from agent.journal.chain import SignatureCheck
from agent.journal.entry import Act
from agent.journal.head import Head, head_path, read_head
from agent.journal.parts import lines


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
    UNSIGNED = "unsigned"
    STRANGER = "stranger"
    OTHER_NODE = "other-node"


class RegisterFinding(Struct, frozen=True):
    """One flaw at a line (counted from 1 through all parts; one past the end for what is missing there)."""

    line: int
    flaw: Flaw
    what: str


class Trust(Struct, frozen=True):
    """What the reader knows of the node: how to check its signatures, and its name where that is known."""

    check: SignatureCheck
    node: str = ""


class RegisterVerdict(Struct, frozen=True):
    """`findings` empty: every line is as it was written, in order, none is missing; with Trust, the node's key vouches for all.

    Lines up to `signed_through` are vouched for by a signature that was checked; a later line is chained only. `covered` lines
    have no good signature of their own: a later one vouches for them; `covered_runs` are the first and last of each run.
    `nodes` are the names that lines bear, in order of their first line. `first` is the number of the first line: what was before
    it went with an old part, as a later line says.
    """

    lines: int
    findings: tuple[RegisterFinding, ...]
    signed_through: int
    signatures: int
    unknown_keys: tuple[str, ...] = ()
    covered: int = 0
    covered_runs: tuple[tuple[int, int], ...] = ()
    nodes: tuple[str, ...] = ()
    first: int = 1

    @property
    def whole(self) -> bool:
        return not self.findings


@dataclass(slots=True)
class _Walk:
    trust: Trust | None
    findings: list[RegisterFinding] = field(default_factory=list)
    expected: Head = field(default_factory=lambda: Head(0, chain.GENESIS))
    begins_behind: Head | None = None
    signed_through: int = 0
    signatures: int = 0
    covered: list[tuple[int, int]] = field(default_factory=list)
    unknown: dict[str, list[int]] = field(default_factory=dict)
    nodes: list[str] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)
    count: int = 0
    first: int = 1

    def flaw(self, flaw: Flaw, what: str, line: int | None = None) -> None:
        self.findings.append(RegisterFinding(self.count if line is None else line, flaw, what))


def verify(path: Path, trust: Trust | None = None) -> RegisterVerdict:
    """Read the register at `path` and its parts once. One that does not exist, beside a head that says so, is whole and empty.

    With `trust`, whatever the node's key does not vouch for is a finding. OSError when a file cannot be read.
    """
    walk = _Walk(trust)
    head = read_head(path)  # before the lines: somebody may be writing
    _walk_lines(walk, lines(path))
    if head is None:
        if walk.count:
            missing = say(
                "{name} is missing beside it, or unreadable: whether lines are cut off cannot be told", name=head_path(path).name
            )
            walk.flaw(Flaw.HEAD_MISSING, missing)
    elif head.n > walk.expected.n:
        lost = head.n - walk.expected.n
        walk.flaw(
            Flaw.CUT_OFF,
            say("{lines} cut off after line {count}", lines=_lines(lost), count=walk.count),
            walk.count + 1,
        )
    elif head.n == walk.expected.n and head.digest != walk.expected.digest and not walk.findings:
        walk.flaw(Flaw.EDITED, say("line {count} was edited after it was written", count=walk.count))
    if _ends_torn(path):
        walk.flaw(Flaw.TORN, say("the last line is torn; the next entry sets it aside in register.torn"), walk.count + 1)
    _judge_ends(walk)
    return RegisterVerdict(
        walk.count,
        tuple(sorted(walk.findings, key=lambda finding: finding.line)),
        walk.signed_through,
        walk.signatures,
        tuple(sorted(walk.unknown)),
        walk.signed_through - walk.signatures if walk.signatures else 0,
        tuple(walk.covered),
        tuple(walk.nodes),
        walk.first,
    )


def _walk_lines(walk: _Walk, raws: Iterable[bytes]) -> None:
    for raw in raws:
        walk.count += 1
        try:
            line = chain.parse(raw)
        except ValueError as error:
            walk.flaw(Flaw.UNREADABLE, say("line {count}: {error}", count=walk.count, error=error))
            walk.expected = Head(walk.expected.n + 1, chain.digest(raw))
            continue
        _place(walk, line)
        vouched = line.signed and _check_signature(walk, line)
        if line.node and line.node not in walk.nodes:
            walk.nodes.append(line.node)
        if walk.trust is not None and walk.trust.node and line.node not in ("", walk.trust.node) and not vouched:
            walk.foreign.append(walk.count)
        walk.expected = Head(line.n, line.digest)


def _place(walk: _Walk, line: chain.ChainedLine) -> None:
    """Is this the line that must follow the one before it?"""
    at, expected = walk.count, walk.expected
    if line.act == Act.ROTATED and walk.begins_behind == _gone(line):
        walk.begins_behind = None  # what lies before the first line went with an old part, and this line says so
    if line.prev == expected.digest and line.n == expected.n + 1:
        return
    if at == 1 and line.n > 1:
        walk.first, walk.begins_behind = line.n, Head(line.n - 1, line.prev)
    elif line.n > expected.n + 1:
        missing = line.n - expected.n - 1
        walk.flaw(
            Flaw.MISSING,
            say("{lines} missing before line {at} (number {n})", lines=_lines(missing), at=at, n=line.n),
        )
    elif line.n <= expected.n:
        walk.flaw(
            Flaw.MOVED,
            say("line {at} (number {n}) stands after number {before}: moved or repeated", at=at, n=line.n, before=expected.n),
        )
    elif at > 1:
        walk.flaw(
            Flaw.EDITED,
            say("line {at} was edited after line {after} was written, or line {after} itself", at=at - 1, after=at),
            at - 1,
        )
    else:
        walk.flaw(Flaw.EDITED, say("line 1 does not begin a register: it was edited, or lines before it are gone"))


def _check_signature(walk: _Walk, line: chain.ChainedLine) -> bool:
    """Whether the node's key vouches for this line, and by the chain for those before it."""
    good = walk.trust.check(line.key_id, line.signed_part, line.signature) if walk.trust is not None else None
    if good is None:
        walk.unknown.setdefault(line.key_id, []).append(walk.count)
        return False
    if not good:
        walk.flaw(Flaw.FORGED, say("the signature of line {count} does not fit it", count=walk.count))
        return False
    before = walk.count - 1
    if not walk.signatures and before and line.node and walk.first == 1 and not walk.unknown:
        # A line of the time when the key was made says how many came before it. Older versions let any signature cover them.
        said = line.facts.get("unsigned") if line.act == Act.CHAIN_SIGNED else None
        if said != line.n - 1:
            walk.flaw(Flaw.UNSIGNED, _unsigned(1, before), 1)
    if before > walk.signed_through:
        walk.covered.append((walk.signed_through + 1, before))
    walk.signatures += 1
    walk.signed_through = walk.count
    return True


def _judge_ends(walk: _Walk) -> None:
    """What only the whole register tells."""
    if walk.begins_behind is not None:
        gone = walk.begins_behind.n
        walk.flaw(
            Flaw.MISSING,
            say("{lines} missing before line {at} (number {n})", lines=_lines(gone), at=1, n=gone + 1),
            1,
        )
    if walk.foreign:
        count, trust = len(walk.foreign), walk.trust
        assert trust is not None
        what = say(
            "{lines} from line {at} on name another node than {node!r}, and lack its key",
            lines=_lines(count),
            at=walk.foreign[0],
            node=trust.node,
        )
        walk.flaw(Flaw.OTHER_NODE, what, walk.foreign[0])
    if walk.trust is None:
        return
    for key_id, at in walk.unknown.items():
        what = say(
            "{lines} from line {at} on signed with key {key_id}, which is not this node's",
            lines=_lines(len(at)),
            at=at[0],
            key_id=key_id[:16],
        )
        walk.flaw(Flaw.STRANGER, what, at[0])
    told = {at for each in walk.unknown.values() for at in each}
    told |= {finding.line for finding in walk.findings if finding.flaw in (Flaw.UNREADABLE, Flaw.FORGED)}
    tail = [at for at in range(walk.signed_through + 1, walk.count + 1) if at not in told]
    if tail:
        walk.flaw(Flaw.UNSIGNED, _unsigned(tail[0], tail[-1]), tail[0])


def _unsigned(first: int, last: int) -> str:
    which = (
        say("line {first} bears", first=first) if first == last else say("lines {first} to {last} bear", first=first, last=last)
    )
    return say(
        "{which} no signature of this node, and no line made with its key vouches for that: anybody could have written it",
        which=which,
    )


def _lines(count: int) -> str:
    return many("1 line", "{number} lines", count)


def _gone(line: chain.ChainedLine) -> Head | None:
    """The last line that is no longer kept, as a line of the rotation names it."""
    n, digest = line.facts.get("gone"), line.facts.get("gone digest")
    return Head(n, digest) if isinstance(n, int) and isinstance(digest, str) else None


def _ends_torn(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            if file.seek(0, 2) == 0:
                return False
            file.seek(-1, 2)
            return file.read(1) != b"\n"
    except FileNotFoundError:
        return False
