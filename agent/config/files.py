"""Which files a configuration is made of, and their text: the one reader for the daemon, its commands and the unit generator.

Standard library alone: the generator runs on the distribution's Python at boot, before anything else of Vigie.
"""

from __future__ import annotations

import errno
from pathlib import Path

from agent.base.regular_file import read_regular

MOST_BYTES = 1_000_000
"""A thousand times what a node's file holds; more is not a configuration."""


class TooLargeError(OSError):
    """No configuration is as large as that."""


def drop_in_directory(path: Path) -> Path:
    """`config.d` beside `config.toml`."""
    return path.with_suffix(".d")


def drop_ins(path: Path) -> list[Path]:
    """The fragments in the order in which they are applied; hidden files and editors' backups are none.

    Raises OSError when a directory is there, or a link to one, that cannot be listed: nobody knows which masks stand in it.
    """
    directory = drop_in_directory(path)
    if directory == path:
        return []
    try:
        found = list(directory.iterdir())
    except NotADirectoryError:
        return []
    except FileNotFoundError:
        if directory.is_symlink():
            raise
        return []
    except ValueError:  # a NUL character in the path, which the file itself is told of
        return []
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:  # no directory has that name
            return []
        raise
    return sorted(p for p in found if p.suffix == ".toml" and not p.name.startswith("."))


def read_bytes(path: Path) -> bytes:
    """The content. OSError, also for a pipe in the file's place; TooLargeError."""
    content = read_regular(path, MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TooLargeError
    return content


def decode(content: bytes) -> str:
    """The text with plain newlines. UnicodeDecodeError when it is not UTF-8."""
    # An editor's byte order mark says nothing and harms nothing.
    return content.decode("utf-8-sig").replace("\r\n", "\n")
