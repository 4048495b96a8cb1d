"""A key that nobody reads is checked, shown, digested and told as in force, and changes nothing."""

from __future__ import annotations

import ast
import typing
from collections.abc import Iterator
from pathlib import Path

from agent.config.fields import Section
from agent.config.model import Config

ROOT = Path(__file__).parents[2]


def sections(section: type[Section] = Config) -> Iterator[type[Section]]:
    """The sections of the configuration, and what they hold."""
    yield section
    for kind in typing.get_type_hints(section).values():
        for each in _classes(kind):
            yield from sections(each)


def _classes(kind: object) -> Iterator[type[Section]]:
    if isinstance(kind, type) and issubclass(kind, Section):
        yield kind
    for each in typing.get_args(kind):
        yield from _classes(each)


def test_every_key_is_read_somewhere() -> None:
    """By its name, or in the model by a property that gives it another unit."""
    read: set[str] = set()
    for path in (path for package in ("agent", "hardware") for path in (ROOT / package).rglob("*.py")):
        read |= {node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)}
    keys = {(section.__name__, key) for section in sections() for key in section.__struct_fields__}
    keys -= {("Encoding", "codec")}  # there is one
    keys -= {("NodeSettings", "language")}  # read before the file is judged, so that what is wrong is said in it
    assert sorted(key for key in keys if key[1] not in read) == []
