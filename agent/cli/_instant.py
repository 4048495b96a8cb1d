"""A time on the command line, with its offset or as the picture's caption shows it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from agent.base.phrase import joined, say
from agent.cli._speech import tell

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2262, 1, 1, tzinfo=UTC)
"""Nanoseconds beyond it do not fit in SQLite's 64 bits."""

_CAPTION = re.compile(
    r"^(?:(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})|(?P<d2>\d{1,2})[-/.](?P<m2>\d{1,2})[-/.](?P<y2>\d{4}))"
    r"(?:\s*[T,]\s*|\s+(?:at\s+|à\s+)?)"
    r"(?P<hour>\d{1,2})(?:[:hH](?P<minute>\d{2}))(?:[:mM](?P<second>\d{2})(?:[.,](?P<part>\d{1,6}))?)?\s*"
    r"(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[A-Z][A-Za-z_]+/[A-Za-z_/]+)?$",
    re.IGNORECASE,
)
_FORMS: Final = say(
    'write it as 2026-11-23T10:15:00Z, or as on the picture: "2026-11-23 10:15:00 UTC" or "2026-11-23 11:15:00 +01:00"'
)


class Instant(click.ParamType[int]):
    """Nanoseconds of Unix time, from 1970 to 2261.

    RFC 3339, or as people read them on the picture's caption, which shows UTC and the time of the place side by side:
    `2026-11-23 10:15:00 UTC`, `23/11/2026 11h15 +01:00`, `2026-11-23 11:15 Europe/Paris`. What names neither is refused with both
    readings, unless they are the same; so is an hour that a day has twice or not at all. Said back in UTC on stderr.
    """

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip()
        at = _read(text)
        if at is None:
            self.fail(say("{value!r} is no time: {forms}", value=value, forms=_FORMS), param, ctx)
        if at.tzinfo is None:
            at = self._of_a_place(text, at, param, ctx)
        if not _EARLIEST <= at < _LATEST:
            self.fail(say("{value!r} is out of range: give a time from 1970 to 2261", value=value), param, ctx)
        if not _RFC_3339.match(text):
            option = param.opts[0] if param is not None and param.opts else "time"
            tell(say("vigie: {option} {text} is {at}", option=option, text=text, at=_written(at.astimezone(UTC))), err=True)
        return (at - _EARLIEST) // timedelta(microseconds=1) * 1000

    def _of_a_place(self, text: str, at: datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """`at` in the zone that is named behind it; refused when none is, and the two clocks on the picture differ."""
        name = _zone_named(text)
        zone = _zone(name)
        if name and zone is None:
            self.fail(say("{name!r} is no time zone: write UTC, +01:00 or Europe/Paris behind the time", name=name), param, ctx)
        config = ctx.params.get("config_path") if ctx is not None else None
        caption = zone or (_caption_zone(config) if config is not None else None)
        if caption is None:
            self.fail(say("{text!r} names no time zone: {forms}", text=text, forms=_FORMS), param, ctx)
        early, late = at.replace(tzinfo=caption, fold=0), at.replace(tzinfo=caption, fold=1)
        if early.astimezone(UTC).astimezone(caption).replace(tzinfo=None) != at:
            self.fail(
                say("{text!r} was never shown in {key}: the clocks were put forward over it", text=text, key=caption.key),
                param,
                ctx,
            )
        readings = list(dict.fromkeys(_written(moment) for moment in (early, late)))
        if zone is None and early.utcoffset():
            readings.insert(0, _written(at.replace(tzinfo=UTC)))
        if len(readings) > 1:
            why = say("came twice") if zone else say("may be either of the two clocks on the picture")
            self.fail(
                say("{text!r} {why}: write {readings}", text=text, why=why, readings=joined(say(" or "), readings)), param, ctx
            )
        return early


_RFC_3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def _written(at: datetime) -> str:
    return at.isoformat(timespec="microseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def _zone_named(text: str) -> str:
    match = _CAPTION.match(text)
    return match["zone"] if match is not None and match["zone"] and "/" in match["zone"] else ""


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _read(text: str) -> datetime | None:
    """The time that is written, without a zone where none is; None when it is no time, or a day alone."""
    match = _CAPTION.match(text)
    if match is not None:
        year, month, day = (match[n] or match[f"{n}2"] for n in ("y", "m", "d"))
        zone = "" if _zone_named(text) else (match["zone"] or "").upper().replace("UTC", "Z").replace("GMT", "Z")
        written = f"{year}-{month:>02}-{day:>02}T{match['hour']:>02}:{match['minute']}:{match['second'] or '00'}"
        text = f"{written}.{match['part'] or '0':<06}{zone}"
    elif re.search(r"[T\s]\d", text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _caption_zone(config: Path) -> ZoneInfo | None:
    """The zone that the node's configuration gives its caption, read as far as it can be; None when there is no file."""
    from agent.config.model import Encoding
    from agent.config.sources import Sources

    sources = Sources.read(Path(config))
    if not sources.documents[0].lines:
        return None
    encoding = sources.content.get("encoding", {})
    name = encoding.get("time_zone", Encoding().time_zone) if isinstance(encoding, dict) else ""
    return _zone(name) if isinstance(name, str) else None
