"""One TOML file: its text, what it says, and where it says it."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.config.finding import Finding, RefusedConfiguration
from agent.config.locate import KeyPath, Place, Span, locate

MOST_BYTES = 1_000_000
"""A thousand times what a node's file holds; more is not a configuration."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that is valid TOML. `content` is what tomllib read, `places` where each of its keys stands."""

    path: Path
    lines: tuple[str, ...]
    content: Mapping[str, Any]
    places: Mapping[KeyPath, Place]

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read and parse; RefusedConfiguration, with one clear finding, when the file is missing, unreadable or no TOML."""
        return cls.parse(path, _read_text(path))

    @classmethod
    def parse(cls, path: Path, text: str) -> Document:
        """Parse `text` as the content of `path`."""
        text = text.replace("\r\n", "\n")
        lines = tuple(text.split("\n"))
        try:
            content = tomllib.loads(text)
            places = locate(text)
        except tomllib.TOMLDecodeError as error:
            raise RefusedConfiguration([_syntax_finding(path, lines, str(error))]) from None
        except RecursionError:
            raise _refusal(path, "brackets are nested too deeply", "no key needs more than three levels") from None
        except ValueError:  # a number of thousands of digits
            raise _refusal(path, "a number has too many digits", "look for a key held down by mistake") from None
        return cls(path, lines, content, places)

    def finding(self, span: Span, key: str, what: str, remedy: str = "") -> Finding:
        """A finding in this file, with the line it is about."""
        return Finding(self.path, span, self.lines[span.line - 1], key, what, remedy)


def _read_text(path: Path) -> str:
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise _refusal(path, "is a directory", "name the file in it, such as config.toml")
        if not stat.S_ISREG(kind):  # a pipe in the file's place must not hang the daemon
            raise _refusal(path, "is no regular file", "name a TOML file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _refusal(path, "there is no such file", "copy config.example.toml there and edit its first lines") from None
    except PermissionError:
        raise _refusal(path, "may not be read by this user", "run the command with sudo, or as user vigie") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise _refusal(path, f"cannot be read: {error}", "check the path") from None
    if len(content) > MOST_BYTES:
        raise _refusal(path, f"is larger than {MOST_BYTES // 1000} kB", "name the configuration, not a film or an archive")
    return _decode(path, content)


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")  # an editor's byte order mark says nothing and harms nothing
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
        shown = content.split(b"\n")[line - 1].decode("utf-8", "replace")
        what = f"byte 0x{content[error.start]:02x} is not UTF-8"
        remedy = "save the file as UTF-8 in your editor (it may be Latin-1 or Windows-1252)"
        raise RefusedConfiguration([Finding(path, Span(line, column, 1), shown, "", what, remedy)]) from None


def _refusal(path: Path, what: str, remedy: str) -> RefusedConfiguration:
    return RefusedConfiguration([Finding(path, None, "", "", what, remedy)])


_PLACED = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)


def _syntax_finding(path: Path, lines: tuple[str, ...], message: str) -> Finding:
    match = _PLACED.match(message)
    what = match["what"] if match else message
    if match and match["line"]:
        span = Span(int(match["line"]), int(match["column"]), 1)
    else:
        row = max((i for i, line in enumerate(lines) if line.strip()), default=0)
        span = Span(row + 1, len(lines[row]) + 1, 1)
    line = lines[span.line - 1]
    if what.startswith("Cannot"):  # tomllib points behind what it refuses: a second value for a key, a table declared twice
        indent = len(line) - len(line.lstrip())
        span = Span(span.line, indent + 1, max(1, len(line.partition("=")[0].strip())))
    what, remedy = _in_plain_words(what, line, span.column - 1)
    return Finding(path, span, line, "", what, remedy)


def _in_plain_words(what: str, line: str, at: int) -> tuple[str, str]:
    """What is wrong and the remedy, for the slips people make; `what` is tomllib's message, `line` the one it points at."""
    rest = line[at:]
    if "“" in line or "”" in line or "„" in line or "«" in line:
        return "these quotation marks are typographic", 'write straight ones: "'
    if what.startswith("Cannot"):
        return "this key or table is given twice", "keep one of the two"
    if re.search(r"=\s*-?\d+,\d+\s*(#.*)?$", line):
        return "a decimal comma", "write a decimal point: 0.5"
    if re.match(r"(True|False|TRUE|FALSE|yes|no|on|off|oui|non)\b", rest):
        return f"{rest.split()[0]!r} is no value", "write true or false, in small letters"
    if re.match(r"[A-Za-z/~]", rest) and "=" in line[:at]:
        return "a text without quotation marks", f'write {line.partition("=")[0].strip()} = "{rest.partition("#")[0].strip()}"'
    if what.startswith("Expected '='"):
        return "a key without a value", "write key = value, one on each line"
    if what.startswith(("Illegal character", "Unterminated", "Expected '\"'")) and line.count('"') % 2:
        return "a text that does not end", 'close it with a " on the same line'
    if what.startswith(("Unescaped '\\'", "Invalid hex")):
        return "a backslash in a text has a meaning of its own", "write paths with /, or the text in single quotes: '...'"
    return f"this is no TOML: {what[:1].lower()}{what[1:]}", "see the example at /usr/share/doc/vigie/config.example.toml"
