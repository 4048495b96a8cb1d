"""Faults of a configuration in a technician's words: what is wrong with a value, and what would be right."""

from __future__ import annotations

import difflib
import math
import operator
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from agent.base.phrase import joined, many, say
from agent.config.annotation import bound, field_of, fields, is_section, items_of, plain, section_of
from agent.config.locate import KeyPath, dotted
from agent.config.mending.wanted import example, header_of
from agent.config.model import Config
from agent.config.reading import MISSING, ReadingFault

_BOUNDS = (
    ("gt", operator.le, say("too small"), say("more than")),
    ("ge", operator.lt, say("too small"), say("at least")),
    ("lt", operator.ge, say("too large"), say("less than")),
    ("le", operator.gt, say("too large"), say("at most")),
)


MISSED = say("is missing")


def diagnose(fault: ReadingFault) -> tuple[str, str]:
    """What is wrong, and the remedy."""
    path, given, wanted = fault.path, fault.given, fault.wanted
    if fault.misfit is not None:
        return fault.misfit.what, fault.misfit.remedy
    if given is MISSING:
        return MISSED, say("add {example}", example=_example(path))
    if wanted is None:
        return _unknown_key(path)
    kind = plain(wanted)
    if is_section(kind):
        return say("{given} is no table", given=_shown(given)), say("write a section: [{key}]", key=dotted(path))
    if get_origin(kind) is tuple:
        return _wrong_list(path, given, wanted)
    if get_origin(kind) is Literal:
        return _wrong_choice(get_args(kind), given)
    if kind is bool:
        return say("{given} is neither true nor false", given=_shown(given)), say("write true or false, without quotation marks")
    if kind is date:
        return say("{given} is no date", given=_shown(given)), say("write a day without quotation marks, as 2026-11-23")
    if kind is str or kind is Path:
        return _wrong_text(path, given, wanted)
    return _wrong_number(given, wanted, whole=kind is int)


def _wrong_list(path: KeyPath, given: Any, wanted: Any) -> tuple[str, str]:
    most = bound(wanted, "max_length")
    if not isinstance(given, list):
        return say("{given} is no list", given=_shown(given)), _wanted_list(path)
    if items_of(plain(wanted)) is not None:
        return say("has {count}", count=_count(len(given))), say("at most {most} are allowed", most=most)
    if len(given) < 2:
        return say("a corner has two numbers, this one has fewer"), say("write [x, y]")
    return say("a corner has two numbers, this one has more"), say("write [x, y]")


def _wrong_choice(choices: tuple[Any, ...], given: Any) -> tuple[str, str]:
    names = [repr(choice) for choice in choices]
    expected = joined(say(" or "), (", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
    near = difflib.get_close_matches(given.lower(), [str(c) for c in choices], 1, 0.6) if isinstance(given, str) else []
    return say("{given} is none of the choices", given=_shown(given)), say("write {expected}", expected=expected) + (
        say("; did you mean {near!r}?", near=near[0]) if near else ""
    )


def _wrong_text(path: KeyPath, given: Any, wanted: Any) -> tuple[str, str]:
    if not isinstance(given, str):
        return say("{given} is no text", given=_shown(given)), say('write it in quotation marks: "{given}"', given=_plain(given))
    if plain(wanted) is Path and not any(c in given for c in "\b\t\n\f\r"):
        return say("a character in this path cannot be seen"), say("write it anew")
    if plain(wanted) is Path:
        return say("a backslash in a text has a meaning of its own"), say("write paths with /")
    least, most = bound(wanted, "min_length"), bound(wanted, "max_length")
    if least is not None and len(given) < least:
        return say("{given} is too short", given=_shown(given)), say("write at least {least} characters", least=least)
    if most is not None and len(given) > most:
        return say("the text is too long"), say("write at most {most} characters", most=most)
    return say("{given} cannot be a name in a topic", given=_shown(given)), _pattern_remedy(path)


def _wrong_number(given: Any, wanted: Any, *, whole: bool) -> tuple[str, str]:
    if not isinstance(given, int if whole else int | float) or isinstance(given, bool):
        return _not_a_number(given, whole=whole)
    if not _is_finite_number(given):
        return say("{given} is no number", given=str(given)), say("write a plain number")
    for name, beyond, words, remedy in _BOUNDS:
        limit = bound(wanted, name)
        if limit is not None and beyond(given, limit):
            wanted_bound = say("write {remedy} {limit}", remedy=remedy, limit=f"{limit:g}")
            return say("{given} is {words}", given=str(given), words=words), wanted_bound
    remedy = say("write an even number, {more} or {less}: colour comes in pairs of pixels", more=given + 1, less=given - 1)
    return say("{given} is odd", given=given), remedy


def _is_finite_number(given: Any) -> bool:
    try:
        return math.isfinite(given)
    except (TypeError, OverflowError):
        return False


def _unknown_key(path: KeyPath) -> tuple[str, str]:
    key = str(path[-1])
    known = (section_of(path[:-1]) or Config).__struct_fields__
    missing = say("there is no such section") if len(path) == 1 else say("there is no such key")
    near = difflib.get_close_matches(key.lower(), known, 1, 0.6)
    if near:
        return missing, say("did you mean {near!r}?", near=near[0])
    homes = [
        f"[{field.name}]" for field in fields(Config)
        if (inner := section_of((field.name,))) is not None and field_of(inner, key) is not None
    ]  # fmt: skip
    if homes:
        here = say("there is no such section here") if len(path) == 1 else say("there is no such key here")
        return here, say("{key!r} belongs in {names}", key=key, names=joined(say(" or "), homes))
    return missing, say("remove it; known here: {names}", names=", ".join(known))


def _example(path: KeyPath) -> str:
    """The line that would mend a missing key."""
    shown = example(path)
    return say("the section {header}", header=header_of(path)) if shown is None else f"{path[-1]} = {shown}"


def _not_a_number(given: Any, *, whole: bool) -> tuple[str, str]:
    noun = say("whole number") if whole else say("number")
    if isinstance(given, str):
        try:
            float(given)
        except ValueError:
            return say("{given} is no {noun}", given=_shown(given), noun=noun), say(
                "write a {noun}, without quotation marks", noun=noun
            )
        return say("{given} is a text", given=_shown(given)), say(
            "write the {noun} without quotation marks: {given}", noun=noun, given=given.strip()
        )
    if whole and isinstance(given, float):
        remedy = say("write {given}", given=round(given)) if math.isfinite(given) else say("write one")
        return say("{given} is no whole number", given=f"{given:g}"), remedy
    return say("{given} is no {noun}", given=_shown(given), noun=noun), say("write a {noun}", noun=noun)


def _wanted_list(path: KeyPath) -> str:
    if "polygon" in path and path[0] == "nomad":
        return say("a perimeter is a list of corners: [[46.7795, 4.8528], [46.7795, 4.8568], [46.7815, 4.8568]]")
    if "polygon" in path:
        return say("a polygon is a list of corners: [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]")
    if section_of(path) is not None:
        return say("write a section for each: [[{key}]]", key=dotted(path))
    return say("write it in brackets: [...]")


def _pattern_remedy(path: KeyPath) -> str:
    if path[-1] == "id":
        return say('small letters, digits, "-" and "_", 63 at most, beginning with a letter or digit: pole-17')
    return say('letters, digits, "-" and "_", in levels parted by "/": town/vigie')


def _shown(given: Any) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, str):
        given = "".join(c if c.isprintable() else "?" for c in given)
        return f'"{given[:40]}…"' if len(given) > 40 else f'"{given}"'
    if isinstance(given, dict):
        return say("a table")
    if isinstance(given, list | tuple):
        return say("a list")
    return str(given)


def _plain(given: Any) -> str:
    return str(_shown(given)).strip('"')


def _count(length: Any) -> str:
    return many("1 entry", "{number} entries", length)
