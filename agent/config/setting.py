"""One key of the effective configuration, its value, and which file gave it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from agent.config.fields import Section
from agent.config.locate import KeyPath, dotted
from agent.config.model import Config
from agent.config.sources import Sources


class Origin(Struct, frozen=True):
    """A line of a file that sets a key."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class EffectiveSetting(Struct, frozen=True):
    """`origin` None: no file sets it, it is the default. `overridden` are the lines that a later file beat, in order."""

    path: KeyPath
    value: Any
    origin: Origin | None = None
    overridden: tuple[Origin, ...] = ()

    @property
    def key(self) -> str:
        """`privacy.mask[0].name`"""
        return dotted(self.path)


def settings(config: Config, sources: Sources | None = None) -> list[EffectiveSetting]:
    """Every key of `config`, in the model's order but tables last; without sources, no origins."""
    return [_with_origin(path, value, sources) for path, value in _leaves(config, ())]


def _leaves(section: Section, at: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Plain keys first, then tables: in TOML a table's keys end where the next table begins."""
    tables: list[tuple[KeyPath, Section]] = []
    for name in section.__struct_fields__:
        value, path = getattr(section, name), (*at, name)
        if isinstance(value, Section):
            tables.append((path, value))
        elif isinstance(value, tuple) and value and isinstance(value[0], Section):
            tables += [((*path, index), item) for index, item in enumerate(value)]
        else:
            yield path, value
    for path, table in tables:
        yield from _leaves(table, path)


def _with_origin(path: KeyPath, value: Any, sources: Sources | None) -> EffectiveSetting:
    if sources is None:
        return EffectiveSetting(path, value)
    found = sources.place(path)
    if found is None:
        return EffectiveSetting(path, value)
    # Of an array of tables the whole array is what a later file replaces.
    held = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in sources.holders), path)
    beaten = [d for d in sources.holders[held] if d is not found[0]]
    overridden = tuple(Origin(d.path, d.places[held].key.line) for d in beaten if held in d.places)
    return EffectiveSetting(path, value, Origin(found[0].path, found[1].key.line), overridden)
