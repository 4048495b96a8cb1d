"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

DEFAULT_CONFIG = Path("/etc/vigie/config.toml")

config_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    metavar="FILE",
    help="the node's configuration",
)

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="print one JSON document and nothing else"
)


_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2262, 1, 1, tzinfo=UTC)
"""Nanoseconds beyond it do not fit in SQLite's 64 bits."""


class Instant(click.ParamType[int]):
    """A time on the command line: RFC 3339 with its offset, from 1970 to 2261, as nanoseconds of Unix time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            self.fail(f"{value!r} is no time: write it as 2026-11-23T10:15:00Z or 2026-11-23T11:15:00+01:00", param, ctx)
        if not _EARLIEST <= at < _LATEST:
            self.fail(f"{value!r} is out of range: give a time from 1970 to 2261", param, ctx)
        return (at - _EARLIEST) // timedelta(microseconds=1) * 1000


LONGEST_ENTRY: Final = 200


class Entry(click.ParamType[str]):
    """A name or a reference that will stand in the register: on one line, legible, not empty, without blanks around it."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not text:
            self.fail("it stands in the register: say who, or why", param, ctx)
        if len(text) > LONGEST_ENTRY:
            self.fail(f"it has {len(text)} letters, {LONGEST_ENTRY} at most are kept", param, ctx)
        if not text.isprintable():
            self.fail(f"it holds characters that cannot be printed: {text!a}", param, ctx)
        return text


def print_json(document: Mapping[str, Any]) -> None:
    """The one JSON document of `--json`."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
