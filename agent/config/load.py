"""Loading: from files to a Config, or to every error at once, each in its place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.config.diagnosis import diagnose, dotted, section_of
from agent.config.document import Document
from agent.config.finding import Finding, RefusedConfiguration
from agent.config.locate import KeyPath, Span
from agent.config.model import Config
from agent.config.paths import absolute

MOST_ROUNDS = 50
"""Each round mends at least one value; a file with more is shown its first errors."""


def load(path: Path) -> Config:
    """The configuration in `path`, its relative paths made absolute; RefusedConfiguration lists every error at once."""
    document = Document.read(path)
    found = list(_findings(document))
    if found:
        raise RefusedConfiguration(found)
    return absolute(Config.model_validate(document.content), path)


@dataclass(frozen=True, slots=True)
class _Trouble:
    path: KeyPath
    what: str
    remedy: str


def _findings(document: Document) -> Iterator[Finding]:
    troubles = _troubles(document.content)
    placed = [(trouble, _span(document, trouble.path)) for trouble in troubles]
    for trouble, span in sorted(placed, key=lambda pair: (pair[1].line, pair[1].column)):
        yield document.finding(span, dotted(trouble.path), trouble.what, trouble.remedy)


def _span(document: Document, path: KeyPath) -> Span:
    """Where a trouble is shown: the value, else the key, else the header of the table that lacks it, else the file's end."""
    place = document.places.get(path)
    if place:
        # An unknown key is wrong itself; of a known one, the value is.
        parent = section_of(path[:-1])
        unknown = parent is not None and isinstance(path[-1], str) and path[-1] not in parent.model_fields
        return place.key if unknown else place.value
    for length in range(len(path) - 1, 0, -1):
        place = document.places.get(path[:length])
        if place:
            return place.value
    row = max((i for i, line in enumerate(document.lines) if line.strip()), default=0)
    return Span(row + 1, 1, max(1, len(document.lines[row])))


def _troubles(content: Any) -> list[_Trouble]:
    """Every error. Checks behind a wrong value run as well: it is replaced by a right one and all is checked again."""
    raw = copy.deepcopy(content)
    found: list[_Trouble] = []
    mended: list[KeyPath] = []
    for _ in range(MOST_ROUNDS):
        try:
            Config.model_validate(raw)
            break
        except ValidationError as error:
            fresh = [_Trouble(*diagnose(e)) for e in error.errors(include_url=False)]
            fresh = [t for t in fresh if not any(t.path[: len(m)] == m for m in mended)]
        if not fresh:
            break
        found += fresh
        mended += [_mend(raw, trouble.path) for trouble in fresh]
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
