"""What is said to a person: English by its own value, and in the reader's language at the last step, on a terminal or a sheet.

A Phrase is a `str` that holds its English text and remembers what it was made of. Whoever logs it, encodes it as JSON, enters
it in the register or publishes it has the English: nothing has to be kept in mind for that. Only `for_reader` gives another
language, and only what prints to people may import it (an import contract says which modules do).

Made from a whole sentence with named places, `say("{name} is missing", name=...)`, so that a translator can order the words as
their language wants them; whole ones are joined, or added, and stay what they are. The English is the key into the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Self

from agent.base.clock import NS, rfc3339


class Phrase(str):
    """An English text that keeps its `template` and `fields`; with `several` and `number`, one that counts.

    `template` is None for what is only joined of other phrases, by `glue`.
    """

    __slots__ = ("fields", "glue", "number", "parts", "several", "template")
    template: str | None
    several: str | None
    number: int
    fields: Mapping[str, object]
    glue: str
    parts: tuple[str, ...]

    @classmethod
    def _made(cls, english: str, template: str | None = None, fields: Mapping[str, object] | None = None) -> Self:
        made = str.__new__(cls, english)
        made.template, made.fields = template, fields or {}
        made.several, made.number = None, 1
        made.glue, made.parts = "", ()
        return made

    @classmethod
    def of(cls, template: str, fields: Mapping[str, object]) -> Self:
        """A sentence."""
        return cls._made(template.format(**fields), template, fields)

    @classmethod
    def counted(cls, one: str, several: str, number: int, fields: Mapping[str, object]) -> Self:
        """A sentence about `number` of something, which is a field as well."""
        fields = {**fields, "number": number}
        made = cls._made((one if number == 1 else several).format(**fields), one, fields)
        made.several, made.number = several, number
        return made

    @classmethod
    def joined(cls, glue: str, parts: Iterable[str]) -> Self:
        """Phrases one behind the other, each a whole one."""
        whole = tuple(parts)
        made = cls._made(glue.join(whole))
        made.glue, made.parts = glue, whole
        return made

    def __add__(self, other: str) -> Phrase:
        return Phrase.joined("", (self, other))

    def __radd__(self, other: str) -> Phrase:
        return Phrase.joined("", (other, self))

    def __reduce__(self) -> str | tuple[object, ...]:
        return str, (str(self),)  # what leaves the process is English

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self


class Capital(Phrase):
    """A text with a large first letter, a remedy that begins a sentence; or with a small one, behind an arrow."""

    __slots__ = ("inner", "is_large")
    inner: str
    is_large: bool


class Moment(Phrase):
    """An instant: RFC 3339 in English, and a day and an hour as a reader of another language writes them."""

    __slots__ = ("wall_ns",)
    wall_ns: int


class Day(Phrase):
    """A day of the calendar."""

    __slots__ = ("date",)
    date: date


class Amount(Phrase):
    """A number with so many decimals, grouped by thousands."""

    __slots__ = ("decimals", "value")
    value: float
    decimals: int


class Size(Phrase):
    """An amount of bytes, with the unit that suits it."""

    __slots__ = ("n_bytes",)
    n_bytes: int


def say(template: str, /, **fields: object) -> Phrase:
    """One sentence with named places."""
    return Phrase.of(template, fields)


def sentence(template: str) -> str:
    """A sentence as it stands in the catalogue, whose places are filled later."""
    return template


def many(one: str, several: str, number: int, /, **fields: object) -> Phrase:
    """The sentence that fits `number`, which both may name as {number}."""
    return Phrase.counted(one, several, number, fields)


def joined(glue: str, parts: Iterable[str]) -> Phrase:
    """What is listed: each part is put into the reader's language by itself."""
    return Phrase.joined(glue, parts)


def capital(text: str) -> Capital:
    """The text as a sentence begins."""
    return _begun(text, is_large=True)


def small(text: str) -> Capital:
    """The text as it goes on behind something else."""
    return _begun(text, is_large=False)


def _begun(text: str, *, is_large: bool) -> Capital:
    made = Capital.of("{text}", {"text": begun(text, is_large=is_large)})
    made.inner, made.is_large = text, is_large
    return made


def begun(text: str, *, is_large: bool) -> str:
    """With another first letter, and nothing else changed."""
    return (text[:1].upper() if is_large else text[:1].lower()) + text[1:]


def moment(wall_ns: int) -> Moment:
    """An instant in ns since 1970, UTC."""
    made = Moment.of("{at}", {"at": rfc3339(wall_ns)})
    made.wall_ns = wall_ns
    return made


def instant(told: str) -> str:
    """One that is told as RFC 3339; its English is as it was told. What is no instant stays what it is."""
    try:
        read = datetime.fromisoformat(told)
    except ValueError:
        return told
    made = Moment.of("{at}", {"at": told})
    made.wall_ns = int(read.timestamp()) * NS + read.microsecond * 1000
    return made


def day(of: date) -> Day:
    """A day: 2026-11-30, or as a reader of another language writes it."""
    made = Day.of("{at}", {"at": of.isoformat()})
    made.date = of
    return made


def amount(value: float, decimals: int) -> Amount:
    """A number as people read it, with a space between thousands."""
    made = Amount.of("{value}", {"value": f"{value:,.{decimals}f}".replace(",", " ")})
    made.value, made.decimals = value, decimals
    return made


def size(n_bytes: int) -> Size:
    """Bytes as people read them: three digits and a unit."""
    scaled, unit = scale(n_bytes)
    made = Size.of("{scaled:.3g} {unit}", {"scaled": scaled, "unit": f"{unit}B"})
    made.n_bytes = n_bytes
    return made


def scale(n_bytes: int) -> tuple[float, str]:
    """The amount in the largest unit in which it is at least one, and that unit's prefix, by powers of 1000."""
    scaled = float(n_bytes)
    for prefix in ("", "k", "M", "G"):
        if abs(scaled) < 999.5:
            return scaled, prefix
        scaled /= 1000
    return scaled, "T"
