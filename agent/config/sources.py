"""The files a configuration is made of: config.toml, then config.d/*.toml in the order of their names.

The later file wins, key by key: tables merge, everything else (arrays as well) replaces what stood there before.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from agent.base.phrase import say
from agent.base.process_exit import why_refused
from agent.config.document import UNREADABLE, Document
from agent.config.files import drop_in_directory, drop_ins
from agent.config.finding import Finding
from agent.config.locate import KeyPath, KeyPlace, TextSpan


class Sources(Struct, frozen=True):
    """All the files, what they say together, and who said what.

    `holders` names, for each table and each key, the documents that hold it, in order: of a key the last one won.
    """

    documents: tuple[Document, ...]
    content: Mapping[str, Any]
    holders: Mapping[KeyPath, tuple[Document, ...]]

    @classmethod
    def read(cls, path: Path) -> Sources:
        """Read `path` and its drop-ins. Never raises; see `Document.faults`."""
        first = Document.open(path)
        hidden = first.faults[:1] and first.faults[0].what == UNREADABLE  # and so is what lies beside it: one cause, said once
        return cls.of([first, *([] if hidden else _drop_ins(path))])

    @classmethod
    def of(cls, documents: list[Document]) -> Sources:
        """Lay the documents over each other."""
        content: dict[str, Any] = {}
        holders: dict[KeyPath, tuple[Document, ...]] = {}
        for document in documents:
            _lay(content, document.content, (), document, holders)
        return cls(tuple(documents), content, holders)

    def read_closely(self) -> Sources | None:
        """The same files, misspelt names taken for slips, for a configuration that is refused; None when one cannot be read."""
        if not self.whole:
            return None
        return Sources.of([Document.of(document.path, "\n".join(document.lines), closely=True) for document in self.documents])

    @property
    def faults(self) -> list[Finding]:
        """What is wrong with the files themselves."""
        return [fault for document in self.documents for fault in document.faults]

    @property
    def whole(self) -> bool:
        """Every file could be read, save single damaged keys."""
        return all(document.whole for document in self.documents)

    @property
    def damaged(self) -> set[KeyPath]:
        """The keys whose values could not be read."""
        return {path for document in self.documents for path in document.damaged}

    def value(self, path: KeyPath) -> object:
        """What stands there, right or wrong; None when nothing does."""
        value: object = self.content
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def place(self, path: KeyPath) -> tuple[Document, KeyPlace] | None:
        """Where the key that won stands, or the array element; None when no file holds it."""
        for length in range(len(path), 0, -1):
            holders = self.holders.get(path[:length])
            if holders:
                # A table is shown at its first header; a value where it was last set.
                document = holders[-1] if path in holders[-1].places else holders[0]
                place = document.places.get(path)
                return (document, place) if place else None
        return None

    def nearest(self, path: KeyPath) -> tuple[Document, TextSpan]:
        """Where something is missed: the header of the table that lacks it, else the end of the first file."""
        for length in range(len(path) - 1, 0, -1):
            found = self.place(path[:length])
            if found:
                return found[0], found[1].value
        return self.documents[0], self.documents[0].end


def _drop_ins(path: Path) -> list[Document]:
    try:
        found = drop_ins(path)
    except PermissionError:
        return [_unlisted(path, UNREADABLE, say("use sudo: `sudo vigie check`"))]
    except FileNotFoundError:
        return [_unlisted(path, say("is a link to nowhere"), say("mount or make what it points to, or remove the link"))]
    except OSError as error:
        return [_unlisted(path, say("cannot be listed: {why}", why=why_refused(error)), say("check the disk and the path"))]
    return [Document.open(p) for p in found]


def _unlisted(path: Path, what: str, remedy: str) -> Document:
    directory = drop_in_directory(path)
    return Document(directory, faults=(Finding(directory, None, "", "", what, remedy),), whole=False)


def _lay(
    under: dict[str, Any],
    over: Mapping[str, Any],
    at: KeyPath,
    document: Document,
    holders: dict[KeyPath, tuple[Document, ...]],
) -> None:
    for key, value in over.items():
        path = (*at, key)
        holders[path] = (*holders.get(path, ()), document)
        if isinstance(value, dict):
            if not isinstance(under.get(key), dict):
                under[key] = {}
            _lay(under[key], value, path, document, holders)
        else:
            under[key] = copy.deepcopy(value)
