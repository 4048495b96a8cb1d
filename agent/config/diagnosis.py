"""Pydantic's findings in a technician's words: what is wrong with a value, and what would be right."""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from agent.config.locate import KeyPath, dotted
from agent.config.misfit import Misfit
from agent.config.model import Config


def diagnose(error: ErrorDetails) -> tuple[KeyPath, str, str]:
    """Key path, what is wrong, and the remedy, of one of pydantic's errors on a Config."""
    path: KeyPath = tuple(error["loc"])
    context: Mapping[str, Any] = error.get("ctx", {})
    given = error["input"]
    match error["type"]:
        case "value_error" if isinstance(misfit := context.get("error"), Misfit):
            return (*path, *misfit.at), misfit.what, misfit.remedy
        case "missing" if isinstance(path[-1], int):
            return path[:-1], "a corner has two numbers, this one has fewer", "write [x, y]"
        case "missing":
            return path, "is missing", f"add {_example(path)}"
        case "extra_forbidden":
            return path, *_unknown_key(path)
        case "too_long" if "polygon" in path:
            return path, "a corner has two numbers, this one has more", "write [x, y]"
        case "too_long":
            return path, f"has {_count(context['actual_length'])}", f"at most {context['max_length']} are allowed"
        case "literal_error":
            return path, f"{_shown(given)} is none of the choices", _choices(context["expected"], given)
        case "int_type" | "int_from_float" | "float_type":
            return path, *_not_a_number(given, whole=error["type"] != "float_type")
        case "bool_type":
            return path, f"{_shown(given)} is neither true nor false", "write true or false, without quotation marks"
        case "string_type" | "path_type":
            return path, f"{_shown(given)} is no text", f'write it in quotation marks: "{_plain(given)}"'
        case "date_type" | "date_from_datetime_inexact" | "date_from_datetime_parsing":
            return path, f"{_shown(given)} is no date", "write a day without quotation marks, as 2026-11-23"
        case "tuple_type" | "list_type":
            return path, f"{_shown(given)} is no list", _wanted_list(path)
        case "model_type" | "model_attributes_type" | "dict_type":
            return path, f"{_shown(given)} is no table", f"write a section: [{dotted(path)}]"
        case "greater_than":
            return path, f"{given} is too small", f"write more than {context['gt']:g}"
        case "greater_than_equal":
            return path, f"{given} is too small", f"write at least {context['ge']:g}"
        case "less_than":
            return path, f"{given} is too large", f"write less than {context['lt']:g}"
        case "less_than_equal":
            return path, f"{given} is too large", f"write at most {context['le']:g}"
        case "multiple_of":
            return path, f"{given} is odd", f"write an even number, {given + 1} or {given - 1}: colour comes in pairs of pixels"
        case "finite_number":
            return path, f"{given} is no number", "write a plain number"
        case "string_too_short":
            return path, f"{_shown(given)} is too short", f"write at least {context['min_length']} characters"
        case "string_too_long":
            return path, "the text is too long", f"write at most {context['max_length']} characters"
        case "string_pattern_mismatch":
            return path, f"{_shown(given)} cannot be a name in a topic", _pattern_remedy(path)
        case _:
            return path, error["msg"][:1].lower() + error["msg"][1:], ""


def section_of(path: KeyPath) -> type[BaseModel] | None:
    """The model of the table at `path`; None when no table of Config is there."""
    model: type[BaseModel] = Config
    for step in path:
        if isinstance(step, int):
            continue
        field = model.model_fields.get(step)
        inner = next(_sections_in(field.annotation), None) if field else None
        if inner is None:
            return None
        model = inner
    return model


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, types.UnionType, tuple):
        for inner in get_args(annotation):
            yield from _sections_in(inner)


def _unknown_key(path: KeyPath) -> tuple[str, str]:
    key = str(path[-1])
    model = section_of(path[:-1]) or Config
    noun = "section" if len(path) == 1 else "key"
    near = difflib.get_close_matches(key.lower(), model.model_fields, 1, 0.6)
    if near:
        return f"there is no such {noun}", f"did you mean {near[0]!r}?"
    homes = [
        f"[{name}]" for name, field in Config.model_fields.items()
        if any(key in inner.model_fields for inner in _sections_in(field.annotation))
    ]  # fmt: skip
    if homes:
        return f"there is no such {noun} here", f"{key!r} belongs in {' or '.join(homes)}"
    return f"there is no such {noun}", f"remove it; known here: {', '.join(model.model_fields)}"


def _example(path: KeyPath) -> str:
    """The line that would mend a missing key."""
    name = str(path[-1])
    model = section_of(path[:-1])
    field = model.model_fields.get(name) if model else None
    example = field.examples[0] if field and field.examples else "..."
    if isinstance(example, dict):
        return f"the section [{name}]"
    if isinstance(example, date | list):
        return f"{name} = {example}"
    return f'{name} = "{example}"'


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


def _choices(expected: str, given: Any) -> str:
    names = [name.strip("' ") for name in expected.replace(" or ", ", ").split(",")]
    near = difflib.get_close_matches(str(given).lower(), names, 1, 0.6) if isinstance(given, str) else []
    return f"write {expected}" + (f"; did you mean {near[0]!r}?" if near else "")


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
