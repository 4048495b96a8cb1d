"""What a process of ours makes is never others' to write, whatever umask it was started with; nor a node's files to read."""

from __future__ import annotations

import os
from typing import Final

_NOT_WRITABLE: Final = 0o022
_CLOSED: Final = 0o027


def keep_from_writing() -> None:
    """Nothing made from here on can be written by group or others. What the umask forbids already stays forbidden."""
    _add(_NOT_WRITABLE)


def close_to_others() -> None:
    """Nothing made from here on can be read or written by others, or written by the group: a node's state."""
    _add(_CLOSED)


def _add(bits: int) -> None:
    os.umask(os.umask(bits) | bits)
