"""One TOML file: its text, what it says, and where it says it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from agent.base.regular_file import IrregularFileError
from agent.config.files import MOST_BYTES, TooLargeError, decode, read_bytes
from agent.config.finding import Finding
from agent.config.locate import KeyPath, Place, Span, dotted
from agent.config.syntax import Parsed, Slip, parse


class Document(Struct, frozen=True):
    """A file as far as it can be read. `content` is what tomllib made of it, `places` where each of its keys stands.

    `faults` are what is wrong with the file itself, before any key is looked at. With a fault the file is refused;
    `whole` says whether the rest of it could be read all the same, save the keys in `damaged`.
    """

    path: Path
    lines: tuple[str, ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[KeyPath, Place] = field(default_factory=dict)
    faults: tuple[Finding, ...] = ()
    damaged: frozenset[KeyPath] = frozenset()
    whole: bool = True

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read and parse. Never raises: what cannot be read comes back with its fault."""
        try:
            text = _decode(path, _read_bytes(path))
        except _UnreadableError as fault:
            return cls(path, faults=(fault.finding,), whole=False)
        return cls.of(path, text)

    @classmethod
    def of(cls, path: Path, text: str) -> Document:
        """`text` as the content of `path`."""
        parsed: Parsed = parse(text.replace("\r\n", "\n"))
        keys = {parsed.places[key].key.line: dotted(key) for key in parsed.damaged if key}
        faults = tuple(_finding(path, parsed.lines, slip, keys) for slip in parsed.slips)
        return cls(path, parsed.lines, parsed.content, parsed.places, faults, parsed.damaged, parsed.whole)

    def finding(self, span: Span, key: str, what: str, remedy: str = "") -> Finding:
        """A finding in this file, with the line it is about."""
        return Finding(self.path, span, self.lines[span.line - 1], key, what, remedy)

    @property
    def end(self) -> Span:
        """Behind the last line that holds something: where a missing section is missed."""
        row = max((i for i, line in enumerate(self.lines) if line.strip()), default=0)
        return Span(row + 1, len(self.lines[row]) + 1, 1)


class _UnreadableError(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def _read_bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except FileNotFoundError:
        raise _unreadable(
            path, "there is no such file", "copy config.example.toml there and edit its four marked places"
        ) from None
    except PermissionError:
        raise _unreadable(path, "may not be read by this user", "run the command with sudo, or as user vigie") from None
    except IsADirectoryError:
        raise _unreadable(path, "is a directory", "name the file in it, such as config.toml") from None
    except IrregularFileError:  # a pipe in the file's place must not hang the daemon
        raise _unreadable(path, "is no regular file", "name a TOML file") from None
    except TooLargeError:
        what = f"is larger than {MOST_BYTES // 1000} kB"
        raise _unreadable(path, what, "name the configuration, not a film or an archive") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise _unreadable(path, f"cannot be read: {error}", "check the path") from None


def _decode(path: Path, content: bytes) -> str:
    try:
        return decode(content)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]  # of what is left behind a byte order mark
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode()) + 1
        shown = error.object.split(b"\n")[line - 1].decode("utf-8", "replace")
        what = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        remedy = "save the file as UTF-8 in your editor (it may be Latin-1 or Windows-1252)"
        raise _UnreadableError(Finding(path, Span(line, column, 1), shown, "", what, remedy)) from None


def _unreadable(path: Path, what: str, remedy: str) -> _UnreadableError:
    return _UnreadableError(Finding(path, None, "", "", what, remedy))


def _finding(path: Path, lines: tuple[str, ...], slip: Slip, keys: Mapping[int, str]) -> Finding:
    snippet, key = (lines[slip.span.line - 1], keys.get(slip.span.line, "")) if slip.span else ("", "")
    return Finding(path, slip.span, snippet, key, slip.what, slip.remedy)
