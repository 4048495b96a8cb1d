"""Faults of a configuration in a technician's words: what is wrong with a value, and what would be right."""

from __future__ import annotations

import difflib
import math
import operator
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from agent.config.annotation import bound, field_of, fields, is_section, items_of, plain, section_of
from agent.config.locate import KeyPath, dotted
from agent.config.mending.wanted import example, header_of
from agent.config.model import Config
from agent.config.reading import MISSING, ReadingFault

_BOUNDS = (
    ("gt", operator.le, "too small", "more than"),
    ("ge", operator.lt, "too small", "at least"),
    ("lt", operator.ge, "too large", "less than"),
    ("le", operator.gt, "too large", "at most"),
)


MISSED = "is missing"


def diagnose(fault: ReadingFault) -> tuple[str, str]:
    """What is wrong, and the remedy."""
    path, given, wanted = fault.path, fault.given, fault.wanted
    if fault.misfit is not None:
        return fault.misfit.what, fault.misfit.remedy
    if given is MISSING:
        return MISSED, f"add {_example(path)}"
    if wanted is None:
        return _unknown_key(path)
    kind = plain(wanted)
    if is_section(kind):
        return f"{_shown(given)} is no table", f"write a section: [{dotted(path)}]"
    if get_origin(kind) is tuple:
        return _wrong_list(path, given, wanted)
    if get_origin(kind) is Literal:
        return _wrong_choice(get_args(kind), given)
    if kind is bool:
        return f"{_shown(given)} is neither true nor false", "write true or false, without quotation marks"
    if kind is date:
        return f"{_shown(given)} is no date", "write a day without quotation marks, as 2026-11-23"
    if kind is str or kind is Path:
        return _wrong_text(path, given, wanted)
    return _wrong_number(given, wanted, whole=kind is int)


def _wrong_list(path: KeyPath, given: Any, wanted: Any) -> tuple[str, str]:
    most = bound(wanted, "max_length")
    if not isinstance(given, list):
        return f"{_shown(given)} is no list", _wanted_list(path)
    if items_of(plain(wanted)) is not None:
        return f"has {_count(len(given))}", f"at most {most} are allowed"
    return f"a corner has two numbers, this one has {'fewer' if len(given) < 2 else 'more'}", "write [x, y]"


def _wrong_choice(choices: tuple[Any, ...], given: Any) -> tuple[str, str]:
    names = [repr(choice) for choice in choices]
    expected = " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
    near = difflib.get_close_matches(given.lower(), [str(c) for c in choices], 1, 0.6) if isinstance(given, str) else []
    return f"{_shown(given)} is none of the choices", f"write {expected}" + (f"; did you mean {near[0]!r}?" if near else "")


def _wrong_text(path: KeyPath, given: Any, wanted: Any) -> tuple[str, str]:
    if not isinstance(given, str):
        return f"{_shown(given)} is no text", f'write it in quotation marks: "{_plain(given)}"'
    if plain(wanted) is Path and not any(c in given for c in "\b\t\n\f\r"):
        return "a character in this path cannot be seen", "write it anew"
    if plain(wanted) is Path:
        return "a backslash in a text has a meaning of its own", "write paths with /"
    least, most = bound(wanted, "min_length"), bound(wanted, "max_length")
    if least is not None and len(given) < least:
        return f"{_shown(given)} is too short", f"write at least {least} characters"
    if most is not None and len(given) > most:
        return "the text is too long", f"write at most {most} characters"
    return f"{_shown(given)} cannot be a name in a topic", _pattern_remedy(path)


def _wrong_number(given: Any, wanted: Any, *, whole: bool) -> tuple[str, str]:
    if not isinstance(given, int if whole else int | float) or isinstance(given, bool):
        return _not_a_number(given, whole=whole)
    if not _is_finite_number(given):
        return f"{given} is no number", "write a plain number"
    for name, beyond, words, remedy in _BOUNDS:
        limit = bound(wanted, name)
        if limit is not None and beyond(given, limit):
            return f"{given} is {words}", f"write {remedy} {limit:g}"
    return f"{given} is odd", f"write an even number, {given + 1} or {given - 1}: colour comes in pairs of pixels"


def _is_finite_number(given: Any) -> bool:
    try:
        return math.isfinite(given)
    except (TypeError, OverflowError):
        return False


def _unknown_key(path: KeyPath) -> tuple[str, str]:
    key = str(path[-1])
    known = (section_of(path[:-1]) or Config).__struct_fields__
    noun = "section" if len(path) == 1 else "key"
    near = difflib.get_close_matches(key.lower(), known, 1, 0.6)
    if near:
        return f"there is no such {noun}", f"did you mean {near[0]!r}?"
    homes = [
        f"[{field.name}]" for field in fields(Config)
        if (inner := section_of((field.name,))) is not None and field_of(inner, key) is not None
    ]  # fmt: skip
    if homes:
        return f"there is no such {noun} here", f"{key!r} belongs in {' or '.join(homes)}"
    return f"there is no such {noun}", f"remove it; known here: {', '.join(known)}"


def _example(path: KeyPath) -> str:
    """The line that would mend a missing key."""
    shown = example(path)
    return f"the section {header_of(path)}" if shown is None else f"{path[-1]} = {shown}"


def _not_a_number(given: Any, *, whole: bool) -> tuple[str, str]:
    noun = "whole number" if whole else "number"
    if isinstance(given, str):
        try:
            float(given)
        except ValueError:
            return f"{_shown(given)} is no {noun}", f"write a {noun}, without quotation marks"
        return f"{_shown(given)} is a text", f"write the {noun} without quotation marks: {given.strip()}"
    if whole and isinstance(given, float):
        return f"{given:g} is no whole number", f"write {round(given)}" if math.isfinite(given) else "write one"
    return f"{_shown(given)} is no {noun}", f"write a {noun}"


def _wanted_list(path: KeyPath) -> str:
    if "polygon" in path:
        return "a polygon is a list of corners: [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]"
    if section_of(path) is not None:
        return f"write a section for each: [[{dotted(path)}]]"
    return "write it in brackets: [...]"


def _pattern_remedy(path: KeyPath) -> str:
    if path[-1] == "id":
        return 'small letters, digits, "-" and "_", 63 at most, beginning with a letter or digit: pole-17'
    return 'letters, digits, "-" and "_", in levels parted by "/": town/vigie'


def _shown(given: Any) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str):
        given = "".join(c if c.isprintable() else "?" for c in given)
        return f'"{given[:40]}…"' if len(given) > 40 else f'"{given}"'
    if isinstance(given, dict):
        return "a table"
    if isinstance(given, list | tuple):
        return "a list"
    return str(given)


def _plain(given: Any) -> str:
    return _shown(given).strip('"')


def _count(length: Any) -> str:
    return "1 entry" if length == 1 else f"{length} entries"
