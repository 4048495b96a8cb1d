"""A Phrase in French: its sentence from the catalogue, its numbers, days and bytes as a French reader writes them."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.base.catalogue import Catalogue
from agent.base.clock import utc
from agent.base.phrase import Amount, Capital, Day, Moment, Phrase, Size, begun, scale
from agent.base.system_words import worded

CATALOGUE: Final = Path(__file__).parents[1] / "locale" / "fr" / "LC_MESSAGES" / "vigie.po"
NO_BREAK: Final = "\u00a0"
NARROW: Final = "\u202f"
_SPACED: Final = {": ": f"{NO_BREAK}: ", "; ": f"{NO_BREAK}; "}
"""What stands between two phrases."""
_GROUPED_FROM: Final = 10_000


@functools.cache
def catalogue() -> Catalogue:
    """The French catalogue, read once; an empty one where it cannot be read: nobody is left without a word for that."""
    try:
        return Catalogue.read(CATALOGUE)
    except (OSError, ValueError):
        return Catalogue({})


def in_french(phrase: Phrase) -> str:
    """The whole phrase, and every phrase in it. A sentence that the catalogue lacks stays English."""
    match phrase:
        case Moment():
            return day_and_hour(phrase.wall_ns)
        case Day():
            return f"{phrase.date:%d/%m/%Y}"
        case Amount():
            return number(phrase.value, f",.{phrase.decimals}f")
        case Capital():
            return begun(_said(phrase.inner), is_large=phrase.is_large)
        case Size():
            scaled, prefix = scale(phrase.n_bytes)
            return f"{number(scaled, '.3g')}{NO_BREAK}{prefix}{'o' if prefix else 'octets'}"
        case Phrase(template=None):
            return _joined(phrase)
    assert phrase.template is not None
    found = catalogue().find(phrase.template, phrase.number if phrase.several is not None else None)
    if found is None:
        return str(phrase)
    return _Places(phrase.several is not None).vformat(found, (), phrase.fields)


def _joined(phrase: Phrase) -> str:
    """Its parts; a colon behind words stands apart, and behind a place in a file or the name of one it does not."""
    glue = _said(phrase.glue)
    spaced = glue if isinstance(phrase.glue, Phrase) else _SPACED.get(glue, glue)
    told = ""
    for n, part in enumerate(phrase.parts):
        told += (spaced if isinstance(phrase.parts[n - 1], Phrase) else glue) if n else ""
        told += _said(part)
    return told


def _said(text: str) -> str:
    return in_french(text) if isinstance(text, Phrase) else text


def number(value: float, spec: str = "") -> str:
    """A number with a decimal comma, narrow spaces between thousands where `spec` asks for them, a space before %."""
    text = format(value, spec)
    return text.replace(",", NARROW).replace(".", ",").replace("%", f"{NO_BREAK}%")


def day_and_hour(wall_ns: int) -> str:
    """`30/11/2026 à 22 h 45 min 12,345 s UTC`."""
    at = utc(wall_ns)
    seconds = f"{at.second:02}" + (f",{at.microsecond // 1000:03}" if at.microsecond else "")
    return (
        f"{at:%d/%m/%Y} à {at:%H} h {at:%M} min {seconds} s UTC".replace(" h ", f"{NO_BREAK}h{NO_BREAK}")
        .replace(" min ", f"{NO_BREAK}min{NO_BREAK}")
        .replace(" s ", f"{NO_BREAK}s{NO_BREAK}")
    )


_FEW: Final = 2
"""French has its plural from two on: 1,8 jour, 0 image."""
_COUNTED: Final = frozenset({
    "jours", "heures", "minutes", "secondes", "images", "octets", "lettres", "caractères", "repères", "cases",
    "endroits", "parties", "personnes", "événements", "trous", "messages", "fragments", "certificats", "adresses",
    "paquets", "points", "sujets", "masques", "passages", "zones", "sommets", "coins", "valeurs", "autorisations",
    "manquantes", "abîmés", "abîmées", "perdus", "découverts", "fixes", "vérifiées", "extraites", "authentiques",
    "couvertes", "suites", "autres", "premières", "dernières", "derniers",
})  # fmt: skip
"""What is counted, and what is said of it: all lose their last letter in the singular."""
_WORD: Final = re.compile(r"[ \u00a0]([^\W\d_]+)")


def _singular(text: str) -> str:
    """`text` as it goes on behind a number below two: what is counted there in the singular."""
    at = 0
    while (found := _WORD.match(text, at)) is not None and found[1] in _COUNTED:
        text, at = f"{text[: found.end() - 1]}{text[found.end() :]}", found.end() - 1
    return text


def _is_few(shown: str) -> bool:
    """True for a number that is below two as it is read."""
    try:
        return abs(float(shown.replace(NARROW, "").replace(",", "."))) < _FEW
    except ValueError:
        return False


class _Places(string.Formatter):
    """Fills the named places of a French sentence, and puts what they count into its number.

    A sentence with a form of its own for one and for several says both itself.
    """

    def __init__(self, is_counted: bool) -> None:
        self._is_counted = is_counted

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        told, is_few = [], False
        for literal, name, spec, conversion in self.parse(format_string):
            told.append(_singular(literal) if is_few else literal)
            is_few = False
            if name is not None:
                value, _ = self.get_field(name, args, kwargs)
                told.append(self.format_field(self.convert_field(value, conversion), spec or ""))
                is_few = not self._is_counted and isinstance(value, int | float | Amount) and _is_few(told[-1])
        return "".join(told)

    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        value, used = super().get_field(field_name, args, kwargs)
        if self._is_counted and field_name == "number" and abs(value) >= _GROUPED_FROM:
            return f"{value:,}".replace(",", NARROW), str(used)
        return value, str(used)

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, BaseException):
            value = worded(value)
        if isinstance(value, Phrase):
            return format(in_french(value), format_spec)
        if isinstance(value, int | float) and not isinstance(value, bool):
            grouped = format_spec.endswith("f") and "," not in format_spec and abs(value) >= _GROUPED_FROM
            return number(value, re.sub(r"(?=\.|f)", ",", format_spec, count=1) if grouped else format_spec)
        return format(value, format_spec)
