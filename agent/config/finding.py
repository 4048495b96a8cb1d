"""One thing that is wrong with a configuration, where it stands, and how a person is shown it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from agent.base.errors import ConfigurationError
from agent.base.phrase import joined, many, say
from agent.config.edit import Edit
from agent.config.locate import TextSpan
from agent.config.url_secret import line_starred

SNIPPET_COLUMNS = 100
"""A longer line is cut around its caret."""


class Finding(Struct, frozen=True):
    """`file:line: key: what is wrong; what would be right`, then the line itself with a caret.

    `span` is None when the file could not be read at all; `snippet` then is empty. `key` is dotted, as in the file, for
    machines; `named` is the same for people: masks by their names, corners counted from 1. `edits` mend it when pasted, and with
    it whatever else is wrong with the same line; empty when only a person can.
    """

    file: Path
    span: TextSpan | None
    snippet: str
    key: str
    what: str
    remedy: str = ""
    named: str = ""
    edits: tuple[Edit, ...] = ()

    @property
    def headline(self) -> str:
        """The first line: place, key, what is wrong and the remedy."""
        place = f"{self.file}:{self.span.line}" if self.span else f"{self.file}"
        words = say("{what}; {remedy}", what=self.what, remedy=self.remedy) if self.remedy else self.what
        key = self.named or self.key
        return joined(": ", (place, key, words) if key else (place, words))

    @property
    def excerpt(self) -> tuple[str, str] | None:
        """The snippet with its line number, and the carets below it; None when there is no line to show."""
        if self.span is None:
            return None
        line, start, length = without_secrets(self.snippet), self.span.column - 1, self.span.length
        if len(line) > SNIPPET_COLUMNS:
            cut = min(max(0, start - SNIPPET_COLUMNS // 3), len(line) - SNIPPET_COLUMNS)
            line = ("…" if cut else "") + line[cut : cut + SNIPPET_COLUMNS]
            start -= cut - (1 if cut else 0)
            length = min(length, len(line) - start)
        # A tab or an escape sequence in the file must neither shift the caret nor reach the terminal.
        shown = "".join(c if c.isprintable() else " " for c in line)
        gutter = f"{self.span.line:>5} | "
        return gutter + shown, f"{'':>5} | " + " " * start + "^" * max(1, length)

    @property
    def pasted(self) -> tuple[str, ...]:
        """The lines to paste, in the gutter of the excerpt: `write` in the place of the shown line, `add` below or where told."""
        return tuple(
            say("{doing:>5} | {line}", doing=say("write") if edit.count else say("add"), line=line)
            for edit in self.edits
            for line in edit.lines
            if line.isprintable()
        )

    @property
    def text(self) -> str:
        """All of it, several lines."""
        return joined("\n", (self.headline, *(self.excerpt or ()), *self.pasted))

    def __str__(self) -> str:
        return str(self.text)


def errors(count: int) -> str:
    """How many there are."""
    return many("1 error", "{number} errors", count)


_SECRET = re.compile(r"^(\s*[\w.-]*(?:password|passwd|secret|token|mot_de_passe)\w*\s*=\s*)(.*)$", re.IGNORECASE)


def without_secrets(line: str) -> str:
    """The line, as long as it was, with asterisks for what looks like a password: findings end up in logs."""
    line = line_starred(line)
    match = _SECRET.match(line)
    if match and "_file" not in match[1]:
        line = match[1] + "*" * len(match[2])
    return line


class RefusedConfiguration(ConfigurationError):
    """A configuration that cannot be used as it stands; the text holds every finding."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        head = say("the configuration is refused, {count}", count=errors(len(self.findings)))
        super().__init__(joined("\n\n", (head, *(f.text for f in self.findings))))

    @property
    def brief(self) -> str:
        """One line: the first finding, and how many there are."""
        more = len(self.findings) - 1
        headline = self.findings[0].headline
        return say("{headline} (and {more} more: `vigie check` shows them)", headline=headline, more=more) if more else headline
