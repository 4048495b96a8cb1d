"""Evidence hold: a span of time that must not be destroyed, for a legal reference, until it is released or its end comes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.clock import Clock, rfc3339
from agent.base.errors import RegisterError, StorageError
from agent.base.phrase import moment, say
from agent.journal.chain import parse
from agent.journal.entry import Act, Fact, Journal
from agent.journal.parts import lines
from agent.recording.catalog import Catalog

_COLUMNS: Final = "id, from_ns, to_ns, reference, by, until_ns, held_ns, released_ns, released_by"
_LEAST_REFERENCE: Final = 3


class EvidenceHold(Struct, frozen=True):
    """[from_ns, to_ns) of wall time is exempt from destruction while `released_ns` is None."""

    id: int
    from_ns: int
    to_ns: int
    reference: str
    by: str
    until_ns: int | None
    held_ns: int
    released_ns: int | None = None
    released_by: str | None = None

    @property
    def active(self) -> bool:
        return self.released_ns is None


class Holds:
    """The holds of one node. Several processes may hold and release at once. Raises StorageError, RegisterError."""

    def __init__(self, catalog: Catalog, journal: Journal, clock: Clock) -> None:
        self._catalog = catalog
        self._journal = journal
        self._clock = clock

    def add(self, from_ns: int, to_ns: int, reference: str, by: str, until_ns: int | None = None) -> EvidenceHold:
        """Hold [from, to). In force before it is entered in the register; withdrawn when it cannot be entered."""
        now_ns = self._clock.wall_ns()
        if to_ns <= from_ns:
            raise StorageError(say("the hold ends before it begins"), remedy=say("Give --from before --to"))
        if len(reference.strip()) < _LEAST_REFERENCE or not by.strip():
            raise StorageError(
                say("a hold needs a legal reference and a name"), remedy=say("Give --reference (the requisition) and --by")
            )
        if until_ns is not None and until_ns <= now_ns:
            raise StorageError(
                say("the hold would end in the past, at {at}", at=moment(until_ns)), remedy=say("Give an --until that lies ahead")
            )
        with self._catalog.change() as db:
            cursor = db.execute(
                "INSERT INTO hold (from_ns, to_ns, reference, by, until_ns, held_ns, unentered)"
                " VALUES (?, ?, ?, ?, ?, ?, 'held')",
                (from_ns, to_ns, reference.strip(), by.strip(), until_ns, now_ns),
            )
            hold_id = int(cursor.lastrowid or 0)
        hold = EvidenceHold(hold_id, from_ns, to_ns, reference.strip(), by.strip(), until_ns, now_ns)
        try:
            self._enter(hold, Act.HELD, hold.by)
        except RegisterError:
            with self._catalog.change() as db:
                db.execute("DELETE FROM hold WHERE id = ?", (hold.id,))
            raise
        return hold

    def release(self, hold_id: int, by: str) -> EvidenceHold:
        """End a hold by hand. Its footage that is past its day goes at the next sweep."""
        hold = self._one(hold_id)
        if not hold.active:
            raise StorageError(
                say(
                    "hold {id} was released already, by {by} at {at}",
                    id=hold_id,
                    by=hold.released_by,
                    at=moment(hold.released_ns or 0),
                ),
                remedy=say("`vigie hold list` shows the holds in force"),
            )
        return self._end(hold, by.strip() or "unknown", self._clock.wall_ns())

    def end_due(self, trusted_ns: int) -> list[EvidenceHold]:
        """End the holds whose time has come; called by each sweep."""
        return [self._end(h, "its end", trusted_ns) for h in self.active() if h.until_ns is not None and h.until_ns <= trusted_ns]

    def active(self) -> list[EvidenceHold]:
        """Those in force, oldest first."""
        return active_holds(self._catalog)

    def all(self) -> list[EvidenceHold]:
        """Every hold there ever was."""
        return _select(self._catalog, "")

    def make_up(self, before_ns: int) -> None:
        """Enter what was held or released before `before_ns` by a program that was killed before it could enter it."""
        with self._catalog.read() as db:
            found = db.execute(
                "SELECT id, unentered, released_by, held_ns, released_ns FROM hold WHERE unentered <> ''"
            ).fetchall()
        for hold_id, act, released_by, held_ns, released_ns in found:
            if max(held_ns, released_ns or 0) < before_ns:
                hold = self._one(hold_id)
                self._enter(hold, Act(act), hold.by if act == Act.HELD else str(released_by))

    def _end(self, hold: EvidenceHold, by: str, at_ns: int) -> EvidenceHold:
        with self._catalog.change() as db:
            db.execute(
                "UPDATE hold SET released_ns = ?, released_by = ?, unentered = 'released' WHERE id = ?", (at_ns, by, hold.id)
            )
        try:
            self._enter(hold, Act.RELEASED, by)
        except RegisterError:
            with self._catalog.change() as db:
                db.execute("UPDATE hold SET released_ns = NULL, released_by = NULL, unentered = '' WHERE id = ?", (hold.id,))
            raise
        return self._one(hold.id)

    def _enter(self, hold: EvidenceHold, act: Act, by: str) -> None:
        self._journal.enter(act, by, facts(hold))
        with self._catalog.change() as db:
            db.execute("UPDATE hold SET unentered = '' WHERE id = ?", (hold.id,))

    def _one(self, hold_id: int) -> EvidenceHold:
        found = _select(self._catalog, "WHERE id = ?", hold_id)
        if not found:
            raise StorageError(say("there is no hold {id}", id=hold_id), remedy=say("`vigie hold list --all` shows every hold"))
        return found[0]


def active_holds(catalog: Catalog) -> list[EvidenceHold]:
    """The holds in force, oldest first."""
    return _select(catalog, "WHERE released_ns IS NULL")


def _select(catalog: Catalog, where: str, *values: int) -> list[EvidenceHold]:
    with catalog.read() as db:
        found = db.execute(f"SELECT {_COLUMNS} FROM hold {where} ORDER BY id", values).fetchall()  # noqa: S608 - constants
    return [EvidenceHold(*row) for row in found]


def facts(hold: EvidenceHold) -> dict[str, Fact]:
    """What the register says of a hold: enough to set it again when the catalog is lost."""
    return {
        "hold": hold.id,
        "from": rfc3339(hold.from_ns),
        "to": rfc3339(hold.to_ns),
        "from_ns": hold.from_ns,
        "to_ns": hold.to_ns,
        "reference": hold.reference,
        "by": hold.by,
        "until_ns": hold.until_ns,
        "held_ns": hold.held_ns,
    }


def restore(catalog: Catalog, register: Path) -> int:
    """Set the holds again that the register knows of, after the catalog was lost; how many are in force.

    A line that cannot be read is skipped: what it says cannot be guessed, and `vigie register --verify` places it.
    """
    found: dict[int, EvidenceHold] = {}
    for raw in lines(register):
        try:
            line = parse(raw)
            if line.act == Act.HELD:
                hold = _from_facts(line.facts)
                found[hold.id] = hold
            elif line.act == Act.RELEASED:
                found.pop(_whole(line.facts["hold"]), None)
        except (ValueError, KeyError):
            continue
    with catalog.change() as db:
        db.executemany(
            f"INSERT OR IGNORE INTO hold ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)",  # noqa: S608 - constants
            ((h.id, h.from_ns, h.to_ns, h.reference, h.by, h.until_ns, h.held_ns) for h in found.values()),
        )
    return len(found)


def _from_facts(said: Mapping[str, Fact]) -> EvidenceHold:
    until = said["until_ns"]
    return EvidenceHold(
        id=_whole(said["hold"]),
        from_ns=_whole(said["from_ns"]),
        to_ns=_whole(said["to_ns"]),
        reference=str(said["reference"]),
        by=str(said["by"]),
        until_ns=None if until is None else _whole(until),
        held_ns=_whole(said["held_ns"]),
    )


def _whole(fact: Fact) -> int:
    if not isinstance(fact, int) or isinstance(fact, bool) or abs(fact) >= 1 << 62:
        raise ValueError(fact)
    return fact
