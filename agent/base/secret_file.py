"""A password file: one line of text that stands alone, whichever editor wrote it."""

from __future__ import annotations

import codecs
import errno
from pathlib import Path

from agent.base.regular_file import read_regular

MOST_BYTES = 4096


def read_secret(path: Path) -> str:
    """The password, without the end of its line. OSError names the file and what to mend; its words never hold the password.

    UTF-8 with or without a byte order mark, and UTF-16 with one: what editors write. Spaces are part of a password.
    """
    content = read_regular(path, MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _unfit(path, f"is longer than {MOST_BYTES} bytes: it must hold the password alone")
    text = _decoded(path, content)
    if not text.strip("\r\n"):
        raise _unfit(path, "is empty: write the password into it, on its first line")
    password, *rest = text.splitlines()
    if not password:
        raise _unfit(path, "begins with an empty line: the password must stand on the first")
    if any(rest):
        raise _unfit(path, "holds more than one line: the password must stand alone")
    if "\0" in password:
        raise _unfit(path, "holds a NUL byte: save it as UTF-8 text")
    return password


def _decoded(path: Path, content: bytes) -> str:
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise _unfit(path, "is not in UTF-8: save it as UTF-8 text") from None


def _unfit(path: Path, what: str) -> OSError:
    return OSError(errno.EINVAL, what, str(path))
