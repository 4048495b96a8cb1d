"""The walk from what TOML holds to a Config: every value by itself, then the rules between them.

A value that does not serve is replaced by one that does, and the walk goes on, so that all faults are found in one pass.
What only a lost or replaced value could have settled is not held against the file.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from msgspec import Struct, ValidationError, convert

from agent.config.annotation import bound, check_of, example_of, fields, is_section, items_of, made_of_examples, plain
from agent.config.fields import Section
from agent.config.locate import KeyPath
from agent.config.misfit import Misfit
from agent.config.model import Config
from agent.config.rules import misfits

MISSING: Final = object()


class ReadingFault(Struct, frozen=True):
    """`path` is where it shows, `given` what stands there, MISSING when nothing does.

    `wanted` is the annotation it falls short of, None of a key that nobody knows. `misfit` says what is wrong when the value
    by itself is well-formed.
    """

    path: KeyPath
    given: Any
    wanted: Any
    misfit: Misfit | None = None


def read(content: Mapping[str, Any], damaged: Collection[KeyPath] = ()) -> tuple[Config, list[ReadingFault]]:
    """What `content` says, and every fault of it: only without one may anybody run by the Config.

    `damaged` are the keys whose values could not even be parsed: nobody misses them.
    """
    walk = _Walk(damaged)
    config = walk.table(Config, content, ())
    assert isinstance(config, Config)
    return config, walk.faults


class _Walk:
    def __init__(self, damaged: Collection[KeyPath]) -> None:
        self.faults: list[ReadingFault] = []
        self._lost = set(damaged)

    def table(self, section: type[Section], raw: Any, at: KeyPath) -> Section:
        """The section `raw` describes."""
        if not isinstance(raw, Mapping):
            self._fault(at, raw, section)
            return made_of_examples(section)
        known = fields(section)
        names = {field.name for field in known}
        for name in raw:
            if name not in names:
                self._fault((*at, name), raw[name], None)
        values = {}
        for field in known:
            path = (*at, field.name)
            if field.name in raw:
                values[field.name] = self._value(field.type, raw[field.name], path, example_of(field))
            else:
                values[field.name] = example_of(field)
                if field.required and not self._is_lost(path):
                    self._fault(path, MISSING, field.type)
        made = section(**values)
        self._judge(made, at)
        return made

    def _judge(self, made: Section, at: KeyPath) -> None:
        for misfit in misfits(made):
            path = (*at, *misfit.at)
            if not any(self._is_lost(key) for key in (path, *((*at, *beside) for beside in misfit.beside))):
                self._fault(path, None, None, misfit)

    def _value(self, wanted: Any, raw: Any, at: KeyPath, instead: Any) -> Any:
        """`raw` as `wanted`; `instead` when it does not serve."""
        kind, before = plain(wanted), len(self.faults)
        if is_section(kind):
            return self.table(kind, raw, at)
        value = self._items(wanted, raw, at) if get_origin(kind) is tuple else self._scalar(wanted, raw, at)
        check = check_of(wanted)
        if check is not None and len(self.faults) == before:
            try:
                check(value)
            except Misfit as misfit:
                self._fault((*at, *misfit.at), raw, wanted, misfit)
        if len(self.faults) > before and not is_section(items_of(kind)):
            self._lost.add(at)
            return instead
        return value

    def _scalar(self, wanted: Any, raw: Any, at: KeyPath) -> Any:
        kind = plain(wanted)
        if _serves(kind, raw):
            try:
                return Path(raw) if kind is Path else convert(raw, wanted)
            except ValidationError:
                pass  # told below
        self._fault(at, raw, wanted)
        return None

    def _items(self, wanted: Any, raw: Any, at: KeyPath) -> tuple[Any, ...]:
        """A list of any length up to its bound, or a pair."""
        kind = items_of(plain(wanted))
        most = bound(wanted, "max_length")
        kinds = [kind] * len(raw) if kind is not None and isinstance(raw, list) else get_args(plain(wanted))
        if not isinstance(raw, list) or len(raw) != len(kinds) or (most is not None and len(raw) > most):
            self._fault(at, raw, wanted)
            return ()
        return tuple(self._value(inner, item, (*at, n), None) for n, (item, inner) in enumerate(zip(raw, kinds, strict=True)))

    def _fault(self, path: KeyPath, given: Any, wanted: Any, misfit: Misfit | None = None) -> None:
        self.faults.append(ReadingFault(path, given, wanted, misfit))
        self._lost.add(path)

    def _is_lost(self, path: KeyPath) -> bool:
        """True when the value at `path`, or a table around it, is none that the file gave. `()` is around everything."""
        return any(path[:length] in self._lost for length in range(len(path) + 1))


def _serves(kind: Any, raw: Any) -> bool:
    """What msgspec would take from JSON, which has neither paths nor dates, and what no bound speaks of."""
    if kind is Path:  # what is no letter in it came of a backslash: "C:\temp"
        return isinstance(raw, str) and raw.isprintable()
    if kind is date:
        return isinstance(raw, date) and not isinstance(raw, datetime)
    return not isinstance(raw, float) or math.isfinite(raw)
