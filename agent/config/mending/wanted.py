"""What the model wants of a key: the kind of its value, and a value to show."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal, get_args, get_origin

from agent.config.annotation import example_of, field_of, fields, is_section, items_of, plain, section_of
from agent.config.fields import Section
from agent.config.locate import KeyPath
from agent.config.model import Config
from agent.config.toml_value import written

Kind = Literal["text", "path", "number", "whole", "switch", "day", "list", "polygon", "table"]


@functools.lru_cache(2000)
def kind_of(path: KeyPath) -> Kind | None:
    """What belongs at `path`; None for a key that nobody knows."""
    section = section_of(path[:-1]) if path else None
    field = field_of(section, str(path[-1])) if section is not None else None
    if field is None:
        return None
    kind = plain(field.type)
    found: Kind
    if path[-1] == "polygon":
        found = "polygon"
    elif is_section(kind) or is_section(items_of(kind)):
        found = "table"
    elif get_origin(kind) is tuple:
        found = "list"
    elif get_origin(kind) is Literal:
        found = "whole" if isinstance(get_args(kind)[0], int) else "text"
    else:
        found = {bool: "switch", int: "whole", float: "number", date: "day", Path: "path"}.get(kind, "text")  # type: ignore[assignment]
    return found


@functools.lru_cache(2000)
def keys_of(table: KeyPath) -> tuple[str, ...]:
    """The keys of a table that are settings; none of a table that nobody knows."""
    section = section_of(table)
    if section is None:
        return ()
    return tuple(name for name in section.__struct_fields__ if kind_of((*table, name)) != "table")


@functools.cache
def tables() -> Mapping[KeyPath, bool]:
    """Every table the model knows, and whether there may be many of it."""
    return dict(_tables(Config, ()))


def _tables(section: type[Section], at: KeyPath) -> Iterator[tuple[KeyPath, bool]]:
    for field in fields(section):
        kind = plain(field.type)
        inner = items_of(kind)
        found = kind if is_section(kind) else plain(inner) if inner is not None and is_section(plain(inner)) else None
        if found is not None:
            yield (*at, field.name), inner is not None
            yield from _tables(found, (*at, field.name))


def header_of(table: KeyPath) -> str:
    """`[camera]`, `[[privacy.mask]]`."""
    name = ".".join(str(step) for step in table if isinstance(step, str))
    return f"[[{name}]]" if tables().get(tuple(s for s in table if isinstance(s, str))) else f"[{name}]"


def example(path: KeyPath) -> str | None:
    """A right value for the key, in TOML: its default, else the model's example; None when there is neither."""
    section = section_of(path[:-1])
    field = field_of(section, str(path[-1])) if section is not None else None
    if field is None or kind_of(path) == "table":
        return None
    if path == ("camera", "driver"):
        return '"picamera2"'  # the model's own example draws a square: nobody's camera
    value = example_of(field)
    return None if value is None else written(value)


def is_optional(path: KeyPath) -> bool:
    """True when the key may be left out."""
    section = section_of(path[:-1])
    field = field_of(section, str(path[-1])) if section is not None else None
    return field is not None and not field.required
