"""A Phrase on its way from the daemon to a command: spelled out as JSON beside the English, and read back as what it was.

The document stays as it is, in English; beside it goes `said`, which names the places where a Phrase stands. Who does not know of
it reads the document alone. What is said wrongly there costs a translation, never a fact: the English of both must agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from agent.base.phrase import Amount, Capital, Day, Moment, Phrase, Size, amount, capital, day, joined, size, small
from agent.base.system_words import worded

Place = tuple[str | int, ...]
_DEEPEST: Final = 16


def phrases(document: object, at: Place = ()) -> Iterator[tuple[Place, Phrase]]:
    """Every Phrase among the values of plain data, with its place: the keys and numbers that lead to it."""
    match document:
        case Phrase():
            yield at, document
        case Mapping():
            for key, value in document.items():
                yield from phrases(value, (*at, str(key)))
        case list() | tuple():
            for n, value in enumerate(document):
                yield from phrases(value, (*at, n))


def spelled(document: object) -> list[list[Any]]:
    """Each Phrase in it as `[place, spelling]`."""
    return [[list(at), _spelling(phrase)] for at, phrase in phrases(document)]


def restored(document: Any, said: object) -> Any:
    """`document`, which has come as JSON, with the phrases that `said` spells, as far as they read as it does."""
    for each in said if isinstance(said, list) else ():
        try:
            at, spelling = each
            document = _with(document, at, _read(spelling))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
            continue  # a daemon of another release: that one stays English
    return document


def _with(document: Any, at: Sequence[str | int], phrase: Phrase) -> Any:
    if not at:
        if document != str(phrase):
            raise ValueError("it reads otherwise")
        return phrase
    document[at[0]] = _with(document[at[0]], at[1:], phrase)
    return document


def _spelling(text: object) -> Any:
    """A Phrase by its kind; a number as it is; anything else as the text it is put in as."""
    match text:
        case Moment():
            return {"moment": text.wall_ns, "english": str(text)}
        case Day():
            return {"day": text.date.isoformat()}
        case Amount():
            return {"amount": text.value, "decimals": text.decimals}
        case Capital():
            return {"capital": _spelling(text.inner), "large": text.is_large}
        case Size():
            return {"size": text.n_bytes}
        case Phrase(template=None):
            return {"glue": _spelling(text.glue), "parts": [_spelling(part) for part in text.parts]}
        case Phrase():
            fields = {name: _spelling(value) for name, value in text.fields.items()}
            several = {} if text.several is None else {"several": text.several, "number": text.number}
            return {"say": text.template, "fields": fields, **several}
        case BaseException():
            return _spelling(worded(text))
        case bool() | None:
            return str(text)
        case int() | float():
            return text
        case _:
            return str(text)


def _read(spelling: Any) -> Phrase:
    found = _read_any(spelling, 0)
    if not isinstance(found, Phrase):
        raise TypeError("no phrase")
    return found


def _read_any(spelling: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    match spelling:
        case {"moment": int(wall_ns), "english": str(english)}:
            made = Moment.of("{at}", {"at": english})
            made.wall_ns = wall_ns
            return made
        case {"day": str(of)}:
            return day(date.fromisoformat(of))
        case {"amount": int() | float() as value, "decimals": int(decimals)}:
            return amount(value, decimals)
        case {"size": int(n_bytes)}:
            return size(n_bytes)
        case {"capital": inner, "large": bool(is_large)}:
            return (capital if is_large else small)(_read_any(inner, depth + 1))
        case {"glue": glue, "parts": list(parts)}:
            return joined(_read_any(glue, depth + 1), [_read_any(part, depth + 1) for part in parts])
        case {"say": str(one), "fields": dict(given), "several": str(several), "number": int(number)}:
            fields = {name: _read_any(value, depth + 1) for name, value in given.items() if name != "number"}
            return Phrase.counted(one, several, number, fields)
        case {"say": str(template), "fields": dict(given)}:
            return Phrase.of(template, {name: _read_any(value, depth + 1) for name, value in given.items()})
        case str() | int() | float():
            return spelling
    raise ValueError("no spelling of ours")
