"""One value that is no TOML, as it was meant: quotation marks, numbers, switches, days."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Final

from msgspec import Struct

from agent.base.phrase import say
from agent.config.address import whole_address
from agent.config.locate import KeyPath
from agent.config.mending.quantity import quantity
from agent.config.mending.wanted import Kind, example
from agent.config.toml_value import written

_TRUE: Final = frozenset({"true", "yes", "y", "on", "oui", "vrai", "1"})
_FALSE: Final = frozenset({"false", "no", "n", "off", "non", "faux", "0"})
_NOTHING: Final = frozenset({"none", "null", "nil", "nan", "undefined", "~", "-", "auto", "default"})
_TYPOGRAPHIC: Final = "“”„‟«»″"
_SINGLE: Final = "‘’‚‹›`´"
_DAY = re.compile(r"^(?P<a>\d{1,4})\s*[-/.]\s*(?P<b>\d{1,2})\s*[-/.]\s*(?P<c>\d{1,4})(?P<time>[T ].*)?$")
_BEHIND = re.compile(r"^(?P<value>\"(?:[^\"\\]|\\.)*\"\s*|'[^']*'\s*|[^\s\"']+\s+)(?P<next>[A-Za-z_][\w.-]*\s*=.*)$")


class Mended(Struct, frozen=True):
    """`toml` is the value as it should read, `what` is wrong with it as written.

    `sure` is False for a value that merely shows what is wanted: nothing is judged by it. `behind` is a further setting on
    the same line.
    """

    toml: str
    what: str
    remedy: str = ""
    sure: bool = True
    behind: str = ""


def is_toml(value: str) -> bool:
    """True when `value` may stand behind a key as it is, on its one line."""
    try:
        return set(tomllib.loads(f"k = {value}\n")) == {"k"} and "\n" not in value
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return False


def mend(raw: str, path: KeyPath, kind: Kind | None) -> Mended:
    """What `raw` was meant to be. It is no TOML, and stands behind the key at `path`, without its comment."""
    made = _mend(raw.strip(), path, kind)
    return made if is_toml(made.toml) else _shown(path, say("cannot be read"))


def _mend(raw: str, path: KeyPath, kind: Kind | None) -> Mended:
    for attempt in (_address, _behind, _closing, _straight, _quoted, _date, _switch, _nothing, _number):
        if (made := attempt(raw, path, kind)) is not None:
            return made
    if kind in ("switch", "number", "whole", "day"):
        return _shown(path, say("{raw} is no {noun}", raw=_short(raw), noun=_NOUNS[kind]))
    return Mended(written(_inner(raw)), say("a text without quotation marks"), say('a text stands in "quotation marks"'))


_NOUNS: Final = {
    "switch": say("switch: it is true or false"),
    "number": say("number"),
    "whole": say("whole number"),
    "day": say("date"),
}


def _shown(path: KeyPath, what: str) -> Mended:
    return Mended(example(path) or '""', what, say("write it as here"), sure=False)


_SCHEMES: Final[Mapping[KeyPath, str]] = {("camera", "source"): "rtsp", ("mqtt", "url"): "mqtts", ("live", "push_url"): "rtsps"}
"""Keys that want an address, and the scheme that is meant where none is written."""
_HOST: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}(:\d{1,5})?(/[\w./-]*)?")


def _address(raw: str, path: KeyPath, _kind: Kind | None) -> Mended | None:
    """The bare number of a machine, where an address is wanted."""
    scheme = _SCHEMES.get(tuple(map(str, path)))
    if scheme is None or _HOST.fullmatch(raw) is None:
        return None
    meant, what = written(whole_address(scheme, raw)), say("an address is a text, and begins with {scheme}://", scheme=scheme)
    if scheme == "rtsp":
        return Mended(meant, what, say("write {meant}; the camera's own page names the path", meant=meant))
    return Mended(meant, what, say("write {meant}", meant=meant))


def _behind(raw: str, path: KeyPath, kind: Kind | None) -> Mended | None:
    """Two settings on one line."""
    match = _BEHIND.match(raw)
    if match is None:
        return None
    first = match["value"].strip().rstrip(",;")
    made = Mended(first, "") if is_toml(first) else mend(first, path, kind)
    what = say("something behind the value") + (say(", and {what}", what=made.what) if made.what else "")
    return Mended(made.toml, what, say("each setting stands on a line of its own"), made.sure, match["next"].rstrip(",; "))


def _closing(raw: str, path: KeyPath, kind: Kind | None) -> Mended | None:
    """A comma or semicolon at the end, as other languages want it."""
    bare = raw.rstrip(",; \t")
    if bare == raw or not bare:
        return None
    if is_toml(bare):
        return Mended(
            bare, say("something behind the value: {raw}", raw=raw[len(bare) :].strip()), say("nothing ends a line here")
        )
    return mend(bare, path, kind)


def _straight(raw: str, _path: KeyPath, _kind: Kind | None) -> Mended | None:
    """Typographic quotation marks."""
    ends = _TYPOGRAPHIC + _SINGLE
    if not raw or (raw[0] not in ends and raw[-1] not in ends):
        return None
    inner = raw.strip(ends + "\"'").strip("\u00a0\u202f ")
    return Mended(written(inner), say("this quotation mark is typographic"), say('write straight ones: "'))


def _quoted(raw: str, _path: KeyPath, kind: Kind | None) -> Mended | None:
    """A text whose straight quotation marks do not pair, or that holds what must not stand in it."""
    if not raw or (raw[0] not in "\"'" and raw[-1] not in "\"'"):
        return None
    quote = raw[0] if raw[0] in "\"'" else raw[-1]
    if raw[0] != quote:
        return Mended(written(raw[:-1].strip()), say("a text does not begin"), say("open it with {quote}", quote=quote))
    if len(raw) == 1 or quote not in raw[1:]:
        return Mended(written(raw[1:].strip()), say("a text does not end"), say('close it with " on the same line'))
    if raw[-1] != quote:
        text, _, more = raw[1:].rpartition(quote)
        return Mended(f"{written(text)}  # {more.strip()}", say("something behind the value"), say("put it behind a #"))
    return _backslashes(raw[1:-1], quote, kind)


def _backslashes(inner: str, quote: str, kind: Kind | None) -> Mended:
    printable = "".join(c for c in inner if c.isprintable())
    if "\\" in inner:
        if kind == "path" or re.match(r"[A-Za-z]:\\", inner):
            what, remedy = say("a backslash in a text has a meaning of its own"), say("write paths with /")
            return Mended(written(re.sub(r"\\+", "/", printable)), what, remedy)
        what, remedy = say("a backslash in a text has a meaning of its own"), say("write two of them for one")
        return Mended(written(printable), what, remedy)
    if quote in inner:
        return Mended(written(printable), say("a {quote} inside a text ends it", quote=quote), say("put a backslash before it"))
    return Mended(written(printable), say("a character in this text cannot be seen"), say("remove it"))


def _date(raw: str, path: KeyPath, kind: Kind | None) -> Mended | None:
    match = _DAY.match(_inner(raw)) if kind in ("day", None) else None
    if match is None:
        return None
    a, b, c = match["a"], match["b"], match["c"]
    year, month, day = (a, b, c) if len(a) == 4 else (c, b, a)
    try:
        return Mended(
            date(int(year), int(month), int(day)).isoformat(), say("{raw} is no date", raw=raw), say("write year-month-day")
        )
    except ValueError:
        return Mended(
            example(path) or "2026-11-23", say("{raw} is no date", raw=raw), say("write {value}", value="2026-11-23"), sure=False
        )


def _switch(raw: str, _path: KeyPath, kind: Kind | None) -> Mended | None:
    word = _inner(raw).lower()
    if kind not in ("switch", None) or word not in _TRUE | _FALSE or (kind is None and word in ("y", "n")):
        return None
    return Mended(
        "true" if word in _TRUE else "false", say("{raw} is no value", raw=raw), say("write true or false, in small letters")
    )


def _nothing(raw: str, path: KeyPath, kind: Kind | None) -> Mended | None:
    if kind in ("text", "path") and raw.lower() in ("auto", "default"):
        return None
    return _shown(path, say("{raw} is no value", raw=raw)) if raw.lower() in _NOTHING else None


def _number(raw: str, path: KeyPath, kind: Kind | None) -> Mended | None:
    if kind not in ("number", "whole", None):
        return None
    meant = quantity(_inner(raw), str(path[-1]), whole=kind == "whole")
    if meant is None or (kind is None and not meant.known):
        return None
    return Mended(meant.toml, meant.what, say("write {path} = {toml}", path=path[-1], toml=meant.toml))


def _inner(raw: str) -> str:
    return raw.strip("\"'" + _TYPOGRAPHIC + _SINGLE + "\u00a0\u202f ")


def _short(raw: str) -> str:
    shown = "".join(c for c in raw if c.isprintable())
    return f"{shown[:30]}…" if len(shown) > 30 else shown
