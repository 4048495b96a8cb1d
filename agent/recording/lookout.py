"""Looks through the recordings once an hour for what no row names: films of ours, moved or copied, and what is not ours."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent.base.clock import NS
from agent.base.phrase import many, say
from agent.base.regular_file import read_regular
from agent.recording.catalog import Catalog
from agent.recording.reconcile import adopt
from agent.recording.salvage import salvage
from agent.recording.strays import FilmIdentity, follow, row_of, strays_below

_EVERY_NS: Final = 3600 * NS
_MOST_BYTES: Final = 256


class Lookout:
    """Keeps the time of the last look in `<catalog>.looked-by-WHO`: what the timer saw, the daemon must see and tell as well.

    Raises StorageError.
    """

    def __init__(self, catalog: Catalog, boot: str, who: str) -> None:
        self._catalog = catalog
        self._boot = boot
        self._stamp = catalog.path.with_name(catalog.path.name + f".looked-by-{who}")

    def look(self, mono_ns: int) -> list[str]:
        """Enter films of ours under the names they have now, so that they go on their day; what the operator must know of.

        Nothing when the last look is less than an hour ago.
        """
        if self._looked_lately(mono_ns) or not self._catalog.root.is_dir():
            return []
        faults: list[str] = []
        foreign: list[Path] = []
        copies = False
        for stray in strays_below(self._catalog, self._catalog.root):
            if stray.identity is None:
                foreign.append(stray.path)
            else:
                said, is_copy = self._take(stray.path, stray.identity)
                copies = copies or is_copy
                faults += [said] if said else []
        if foreign:
            others = len(foreign) - 1
            faults.append(
                many(
                    "{path} and 1 more below the recordings are not of this node: nobody destroys them. Take them away",
                    "{path} and {number} more below the recordings are not of this node: nobody destroys them. Take them away",
                    others,
                    path=foreign[0],
                )
                if others
                else say(
                    "{path} below the recordings is not of this node: nobody destroys it on its day. Take it away",
                    path=foreign[0],
                )
            )
        if not copies:  # a copy must go with its film: it is looked for in each sweep
            self._note(mono_ns)
        return faults

    def _take(self, path: Path, identity: FilmIdentity) -> tuple[str, bool]:
        """What the operator must know, empty when nothing, and whether it is a copy that stays."""
        row = row_of(self._catalog, identity)
        if row is None:
            kept = salvage(path, deep=False)
            if kept is None:
                return "", False
            adopt(self._catalog, path, kept)
            return say(
                "{path} is a film of this node that it did not know of: it goes on its day like any other", path=path
            ), False
        if row.path.is_file() and FilmIdentity.at(row.path) == identity:
            told = say("{path} is another name or a copy of {of}: it goes with it. Find out who made it", path=path, of=row.path)
            return told, True
        follow(self._catalog, row, path)
        return say("{path} was moved to {to}: it goes from there on its day", path=row.path, to=path), False

    def _looked_lately(self, mono_ns: int) -> bool:
        try:
            boot, at_ns = read_regular(self._stamp, _MOST_BYTES, follow=False).decode("ascii").split()
            return boot == self._boot and 0 <= mono_ns - int(at_ns) < _EVERY_NS
        except (OSError, ValueError):
            return False

    def _note(self, mono_ns: int) -> None:
        try:
            self._stamp.unlink(missing_ok=True)
            with self._stamp.open("x", encoding="ascii") as file:
                file.write(f"{self._boot} {mono_ns}")
        except OSError:  # then the next sweep looks again
            return
