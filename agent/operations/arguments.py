"""The arguments of a command: each is judged by itself, so that who asked wrongly learns all of it at once, in words."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Self, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

_KINDS: Final[Mapping[object, str]] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    datetime: "a time with its offset, such as 2026-11-23T10:15:00Z",
    NoneType: "null",
}


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what a command carries. Made from a request by `checked` alone."""

    def amiss(self) -> str:
        """What is wrong between arguments of which each is right by itself; empty when nothing is."""
        return ""

    def amiss_at(self, now: datetime) -> str:  # noqa: ARG002 - most are right at any time
        """What is wrong with arguments that are right by themselves when they are given at this time."""
        return ""

    @classmethod
    def checked(cls, document: Mapping[str, object]) -> Self:
        """The arguments that a decoded JSON object holds, nothing converted. WrongArguments names all that is amiss."""
        found = [*_wrong_ones(cls, document), *_unknown_ones(cls, document)]
        if found:
            raise WrongArguments(found)
        arguments = msgspec.convert(document, cls)
        if amiss := arguments.amiss():
            raise WrongArguments([("the request", amiss)])
        return arguments


class Rule(Struct, frozen=True):
    """Among the notes of an annotation: what no `Meta` can say of a value, and the words for one that breaks it."""

    holds: Callable[[Any], bool]
    words: str


class WrongArguments(ValueError):
    """`faults`: each wrong argument and what is wrong with it, in the order of the fields, unknown ones last."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {what}" for name, what in faults))
        self.faults = faults


def _wrong_ones(cls: type[Arguments], document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for field in _fields(cls):
        if field.encode_name in document:
            if wrong := _wrong(document[field.encode_name], field.type):
                yield field.encode_name, wrong
        elif field.required:
            yield field.encode_name, "is missing"


def _unknown_ones(cls: type[Arguments], document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    known = {field.encode_name for field in _fields(cls)}
    return ((name, "is not known here") for name in document if name not in known)


@functools.cache
def _fields(cls: type[Arguments]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Looked up once: it compiles the annotations, which a flood of requests should not have done again and again."""
    return msgspec.structs.fields(cls)


def _wrong(value: object, annotation: Any) -> str:
    kinds = list(_kinds(annotation))
    should = f"should be {' or '.join(_in_words(base, notes) for base, notes in kinds)}"
    try:
        taken = msgspec.convert(value, annotation)
    except msgspec.ValidationError:
        return should
    if isinstance(taken, float) and not math.isfinite(taken):  # no bound of a `Meta` holds NaN back
        return should
    rules = [note for base, notes in kinds if isinstance(taken, base) for note in notes if isinstance(note, Rule)]
    return next((rule.words for rule in rules if not rule.holds(taken)), "")


def _kinds(annotation: Any) -> Iterator[tuple[type, tuple[object, ...]]]:
    """Each kind of value that an annotation allows, with its notes."""
    if get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _kinds(one)
    elif get_origin(annotation) is Annotated:
        yield annotation.__origin__, annotation.__metadata__
    else:
        yield annotation, ()


def _in_words(base: type, notes: tuple[object, ...]) -> str:
    metas = [note for note in notes if isinstance(note, Meta)]
    bounds = _bounds("from ", "", [(meta.ge, meta.le) for meta in metas])
    lengths = _bounds("of ", " characters", [(meta.min_length, meta.max_length) for meta in metas])
    if issubclass(base, StrEnum):
        return f"one of {', '.join(base)}"
    return _KINDS.get(base, "of another kind") + bounds + lengths


def _bounds(before: str, after: str, found: list[tuple[float | None, float | None]]) -> str:
    low, high = ([bounds[side] for bounds in found if bounds[side] is not None] for side in (0, 1))
    if low and high:
        return f" {before}{low[0]} to {high[0]}{after}"
    if low or high:
        return f" of at {'least' if low else 'most'} {(low or high)[0]}{after}"
    return ""
