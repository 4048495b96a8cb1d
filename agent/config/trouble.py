"""What is wrong with a configuration, all of it at once, each in its place.

Imported only for a file that is refused: a daemon that runs needs none of it.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agent.config.diagnosis import diagnose, section_of
from agent.config.document import Document
from agent.config.finding import Finding
from agent.config.locate import KeyPath, Span, dotted
from agent.config.misfit import Misfit
from agent.config.model import Config
from agent.config.sources import Sources

MOST_ROUNDS = 50
"""Each round mends at least one value; a file with more is shown its first errors."""


def findings(sources: Sources) -> list[Finding]:
    """Every trouble in its place; none when pydantic takes it all."""
    found = []
    for trouble in _troubles(sources.content, sources.damaged):
        document, span = _where(sources, trouble.path)
        found.append(document.finding(span, dotted(trouble.path), trouble.what, trouble.remedy))
    return found


@dataclass(frozen=True, slots=True)
class _Trouble:
    """`path` is where it shows; `rests_on` are the keys of which one, had it been lost, would be the cause."""

    path: KeyPath
    rests_on: tuple[KeyPath, ...]
    what: str
    remedy: str

    @classmethod
    def of(cls, error: ErrorDetails) -> _Trouble:
        path, what, remedy = diagnose(error)
        scope, misfit = tuple(error["loc"]), error.get("ctx", {}).get("error")
        if error["type"] == "missing":
            return cls(path, (scope,), what, remedy)
        if isinstance(misfit, Misfit) and section_of(scope) is not None:
            return cls(path, (path, *((*scope, *beside) for beside in misfit.beside)), what, remedy)
        return cls(path, (), what, remedy)

    def may_come_from(self, lost: Collection[KeyPath]) -> bool:
        """True when one of the values that were lost or mended might have prevented it."""
        return any(_covered(key, lost) for key in self.rests_on)

    def next_to_mend(self, mended: Collection[KeyPath]) -> KeyPath | None:
        """Where it shows, then what it rests on; None when all of it is mended."""
        return next((key for key in (self.path, *self.rests_on) if not _covered(key, mended)), None)


def _covered(path: KeyPath, by: Collection[KeyPath]) -> bool:
    """True when the value at `path`, or a table around it, is among them."""
    return any(path[: len(other)] == other for other in by)


def _where(sources: Sources, path: KeyPath) -> tuple[Document, Span]:
    """Where a trouble shows: the value, the key when it is unknown, else where the missing thing should stand."""
    found = sources.place(path)
    if found is None:
        return sources.nearest(path)
    document, place = found
    table = section_of(path[:-1])
    unknown = table is not None and isinstance(path[-1], str) and path[-1] not in table.model_fields
    return document, place.key if unknown else place.value


def _troubles(content: Any, damaged: Collection[KeyPath]) -> list[_Trouble]:
    """Every error. Checks behind a wrong value run as well: it is replaced by a right one and all is checked again.

    What only a damaged or replaced value could have settled is not held against the file.
    """
    raw = copy.deepcopy(content)
    found: list[_Trouble] = []
    mended: list[KeyPath] = []
    for _ in range(MOST_ROUNDS):
        try:
            Config.model_validate(raw)
            break
        except ValidationError as error:
            troubles = [_Trouble.of(e) for e in error.errors(include_url=False)]
        lost = {*damaged, *mended}
        found += [t for t in troubles if not _covered(t.path, mended) and not t.may_come_from(lost)]
        to_mend = [path for t in troubles if (path := t.next_to_mend(mended)) is not None]
        if not to_mend:
            break
        mended += [_mend(raw, path) for path in to_mend]
    return found


def _mend(raw: Any, path: KeyPath) -> KeyPath:
    """Take the wrong value out of `raw`, its example in its place if a section cannot do without; the path of what was mended."""
    table, inner, mended = raw, raw, path[:1]
    for depth, step in enumerate(path):
        if isinstance(step, str):
            if not isinstance(inner, dict) or section_of(path[:depth]) is None:
                break
            table, mended = inner, path[: depth + 1]
        try:
            inner = inner[step]
        except (KeyError, IndexError, TypeError):
            break
    name = str(mended[-1])
    table.pop(name, None)
    model = section_of(mended[:-1])
    field = model.model_fields.get(name) if model else None
    if field is not None and field.is_required():
        example = copy.deepcopy(field.examples[0]) if field.examples else None
        # Two masks without a name must not end up with the same one.
        table[name] = f"{example} {mended[-2]}" if name == "name" else example
    return mended
