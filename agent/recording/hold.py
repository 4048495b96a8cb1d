"""Evidence hold: a span of time that must not be destroyed, for a legal reference, until it is released or its end comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from agent.clock import Clock, rfc3339
from agent.errors import StorageError
from agent.journal.entry import Act, Journal
from agent.recording.catalog import Catalog

_COLUMNS: Final = "id, from_ns, to_ns, reference, by, until_ns, held_ns, released_ns, released_by"
_LEAST_REFERENCE: Final = 3


@dataclass(frozen=True, slots=True)
class Hold:
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
    """The holds of one node. Several processes may hold and release at once. Raises StorageError, JournalError."""

    def __init__(self, catalog: Catalog, journal: Journal, clock: Clock) -> None:
        self._catalog = catalog
        self._journal = journal
        self._clock = clock

    def add(self, from_ns: int, to_ns: int, reference: str, by: str, until_ns: int | None = None) -> Hold:
        """Hold [from, to). In force before it is entered in the register; withdrawn when it cannot be entered."""
        now_ns = self._clock.wall_ns()
        if to_ns <= from_ns:
            raise StorageError("the hold ends before it begins", remedy="Give --from before --to")
        if len(reference.strip()) < _LEAST_REFERENCE or not by.strip():
            raise StorageError("a hold needs a legal reference and a name", remedy="Give --reference (the requisition) and --by")
        if until_ns is not None and until_ns <= now_ns:
            raise StorageError(
                f"the hold would end in the past, at {rfc3339(until_ns)}", remedy="Give an --until that lies ahead"
            )
        with self._catalog.change() as db:
            cursor = db.execute(
                "INSERT INTO hold (from_ns, to_ns, reference, by, until_ns, held_ns) VALUES (?, ?, ?, ?, ?, ?)",
                (from_ns, to_ns, reference.strip(), by.strip(), until_ns, now_ns),
            )
            hold_id = int(cursor.lastrowid or 0)
        hold = Hold(hold_id, from_ns, to_ns, reference.strip(), by.strip(), until_ns, now_ns)
        self._journal.enter(Act.HELD, hold.by, facts(hold))
        return hold

    def release(self, hold_id: int, by: str) -> Hold:
        """End a hold by hand. Its footage that is past its day goes at the next sweep."""
        hold = self._one(hold_id)
        if not hold.active:
            raise StorageError(
                f"hold {hold_id} was released already, by {hold.released_by} at {rfc3339(hold.released_ns or 0)}",
                remedy="`vigie hold list` shows the holds in force",
            )
        return self._end(hold, by.strip() or "unknown", self._clock.wall_ns())

    def end_due(self, trusted_ns: int) -> list[Hold]:
        """End the holds whose time has come; called by each sweep."""
        return [self._end(h, "its end", trusted_ns) for h in self.active() if h.until_ns is not None and h.until_ns <= trusted_ns]

    def active(self) -> list[Hold]:
        """Those in force, oldest first."""
        return self._select("WHERE released_ns IS NULL")

    def all(self) -> list[Hold]:
        """Every hold there ever was."""
        return self._select("")

    def _end(self, hold: Hold, by: str, at_ns: int) -> Hold:
        with self._catalog.change() as db:
            db.execute("UPDATE hold SET released_ns = ?, released_by = ? WHERE id = ?", (at_ns, by, hold.id))
        self._journal.enter(Act.RELEASED, by, facts(hold))
        return self._one(hold.id)

    def _one(self, hold_id: int) -> Hold:
        found = self._select("WHERE id = ?", hold_id)
        if not found:
            raise StorageError(f"there is no hold {hold_id}", remedy="`vigie hold list --all` shows every hold")
        return found[0]

    def _select(self, where: str, *values: int) -> list[Hold]:
        with self._catalog.read() as db:
            found = db.execute(f"SELECT {_COLUMNS} FROM hold {where} ORDER BY id", values).fetchall()  # noqa: S608 - constants
        return [Hold(*row) for row in found]


def facts(hold: Hold) -> dict[str, str | int | float | bool | None]:
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
    }
