"""What the annotation of a configuration field says: its plain type, its bounds and its check, and the section in it."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from msgspec import NODEFAULT, Meta
from msgspec.structs import FieldInfo
from msgspec.structs import fields as _fields

from agent.config.fields import CHECK, Section
from agent.config.locate import KeyPath
from agent.config.model import Config


@functools.cache
def fields(section: type[Section]) -> tuple[FieldInfo, ...]:
    """The fields of a section; msgspec evaluates every annotation anew each time."""
    return _fields(section)


def plain(annotation: Any) -> Any:
    """The type itself, without `None` and without what is annotated to it."""
    wanted = _present(annotation)
    return get_args(wanted)[0] if get_origin(wanted) is Annotated else wanted


def metas(annotation: Any) -> Iterator[Meta]:
    """Bounds, examples and checks, in their order."""
    wanted = _present(annotation)
    if get_origin(wanted) is Annotated:
        yield from (meta for meta in get_args(wanted)[1:] if isinstance(meta, Meta))


def _present(annotation: Any) -> Any:
    """What a value is when it is there at all: TOML knows no null, so that absent is the only None."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next(inner for inner in get_args(annotation) if inner is not types.NoneType)
    return annotation


def bound(annotation: Any, name: str) -> Any:
    """`ge`, `max_length` and the like; None when there is no such bound."""
    return next((value for meta in metas(annotation) if (value := getattr(meta, name)) is not None), None)


def check_of(annotation: Any) -> Callable[[Any], object] | None:
    """What a value that has its type is checked by; raises Misfit."""
    return next((meta.extra[CHECK] for meta in metas(annotation) if meta.extra), None)


def is_section(kind: Any) -> bool:
    """True for the type of a table."""
    return isinstance(kind, type) and issubclass(kind, Section)


def items_of(kind: Any) -> Any:
    """What a list of any length is made of; None for whatever else, a pair of coordinates too."""
    inner = get_args(kind) if get_origin(kind) is tuple else ()
    return inner[0] if len(inner) == 2 and inner[1] is Ellipsis else None


def field_of(section: type[Section], name: str) -> FieldInfo | None:
    """The field of this name, if the section has one."""
    return next((field for field in fields(section) if field.name == name), None)


def example_of(field: FieldInfo) -> Any:
    """A right value: the default, else the example the model gives, else (of a section) one made of its own examples."""
    if field.default is not NODEFAULT:
        return field.default
    example = next((meta.examples[0] for meta in metas(field.type) if meta.examples), None)
    kind = plain(field.type)
    return made_of_examples(kind) if example is None and is_section(kind) else example


def made_of_examples(section: type[Section]) -> Section:
    """A section that stands in for one that cannot be read."""
    return section(**{field.name: example_of(field) for field in fields(section)})


@functools.lru_cache(2000)
def section_of(path: KeyPath) -> type[Section] | None:
    """The section at `path`; None when no table of Config is there."""
    section: type[Section] = Config
    for step in path:
        if isinstance(step, int):
            continue
        field = field_of(section, step)
        kind = plain(field.type) if field else None
        kind = plain(items_of(kind)) if items_of(kind) is not None else kind
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            return None
        section = kind
    return section
