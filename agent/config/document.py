"""One TOML file: its text, what it says, and where it says it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from agent.base.phrase import say
from agent.base.regular_file import IrregularFileError
from agent.config.edit import Edit
from agent.config.files import MOST_BYTES, TooLargeError, decode, read_bytes
from agent.config.finding import Finding, without_secrets
from agent.config.locate import KeyPath, KeyPlace, TextSpan, dotted, spoken
from agent.config.syntax import Parsed, Slip, parse

UNREADABLE = say("may not be read by this user")


class Document(Struct, frozen=True):
    """A file as far as it can be read. `content` is what tomllib made of it, `places` where each of its keys stands.

    `read` are its lines as they were read in the end: `agent.config.syntax.Parsed` says how they belong together. `edits` mend
    the slips of syntax, by the row of the file at which each begins, from 0.

    `faults` are what is wrong with the file itself, before any key is looked at. With a fault the file is refused;
    `whole` says whether the rest of it could be read all the same, save the keys in `damaged`.
    """

    path: Path
    lines: tuple[str, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[KeyPath, KeyPlace] = field(default_factory=dict)
    faults: tuple[Finding, ...] = ()
    damaged: frozenset[KeyPath] = frozenset()
    whole: bool = True
    read: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    read_places: Mapping[KeyPath, KeyPlace] = field(default_factory=dict)
    edits: Mapping[int, Edit] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Document:
        """Read and parse. Never raises: what cannot be read comes back with its fault."""
        try:
            text = _decode(path, _read_bytes(path))
        except _UnreadableError as fault:
            return cls(path, faults=(fault.finding,), whole=False)
        return cls.of(path, text)

    @classmethod
    def of(cls, path: Path, text: str, *, closely: bool = False) -> Document:
        """`text` as the content of `path`; `closely` as of `parse`."""
        parsed: Parsed = parse(text.replace("\r\n", "\n"), closely=closely)
        mended = {slip.span.line for slip in parsed.slips if slip.span is not None}
        keys = {
            place.key.line: spoken(key, parsed.content)
            for key, place in parsed.places.items()
            if place.key.line in mended and isinstance(key[-1], str) and place.key is not place.value
        }
        faults = tuple(_finding(path, parsed.lines, slip, keys) for slip in parsed.slips)
        edits = {slip.edits[0].after: slip.edits[0] for slip in parsed.slips if len(slip.edits) == 1}
        return cls(
            path, parsed.lines, parsed.content, parsed.places, faults, parsed.damaged, parsed.whole,
            parsed.read, parsed.rows, parsed.read_places, edits,
        )  # fmt: skip

    def finding(self, span: TextSpan, key: KeyPath, what: str, remedy: str = "", edits: tuple[Edit, ...] = ()) -> Finding:
        """A finding in this file, with the line it is about."""
        named = spoken(key, self.content)
        return Finding(self.path, span, self.lines[span.line - 1], dotted(key), what, remedy, named, edits)

    @property
    def end(self) -> TextSpan:
        """Behind the last line that holds something: where a missing section is missed."""
        row = max((i for i, line in enumerate(self.lines) if line.strip()), default=0)
        return TextSpan(row + 1, len(self.lines[row]) + 1, 1)


class _UnreadableError(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def _read_bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except FileNotFoundError:
        raise _unreadable(
            path, say("there is no such file"), say("copy config.example.toml there and edit its four marked places")
        ) from None
    except PermissionError:
        raise _unreadable(path, UNREADABLE, say("use sudo: `sudo vigie check`")) from None
    except IsADirectoryError:
        raise _unreadable(path, say("is a directory"), say("name the file in it, such as config.toml")) from None
    except IrregularFileError:  # a pipe in the file's place must not hang the daemon
        raise _unreadable(path, say("is no regular file"), say("name a TOML file")) from None
    except TooLargeError:
        what = say("is larger than {most_bytes} kB", most_bytes=MOST_BYTES // 1000)
        raise _unreadable(path, what, say("name the configuration, not a film or an archive")) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise _unreadable(path, say("cannot be read: {error}", error=error), say("check the path")) from None


def _decode(path: Path, content: bytes) -> str:
    try:
        return decode(content)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]  # of what is left behind a byte order mark
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode()) + 1
        shown = error.object.split(b"\n")[line - 1].decode("utf-8", "replace")
        what = say("byte 0x{byte} is not UTF-8", byte=f"{error.object[error.start]:02x}")
        remedy = say("save the file as UTF-8 in your editor (it may be Latin-1 or Windows-1252)")
        raise _UnreadableError(Finding(path, TextSpan(line, column, 1), shown, "", what, remedy)) from None


def _unreadable(path: Path, what: str, remedy: str) -> _UnreadableError:
    return _UnreadableError(Finding(path, None, "", "", what, remedy))


def _finding(path: Path, lines: tuple[str, ...], slip: Slip, keys: Mapping[int, str]) -> Finding:
    snippet, key = (lines[slip.span.line - 1], keys.get(slip.span.line, "")) if slip.span else ("", "")
    if without_secrets(snippet) != snippet:  # the words, too, may repeat the value
        return Finding(
            path, slip.span, snippet, key, say("this is no TOML"), say("no secret stands in this file: name a file that holds it")
        )
    return Finding(path, slip.span, snippet, key, slip.what, slip.remedy, key, slip.edits)
