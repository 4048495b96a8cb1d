"""A further process of ours: the same interpreter, bound as this one is to the same code."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path


def flags() -> list[str]:
    """What this process would not import, another one shall not either: from the environment, from where it was started."""
    found = ["-I"] if sys.flags.isolated else ["-s"] if sys.flags.no_user_site else []
    return found if _imports_from_here() else [*found, "-P"]


def _imports_from_here() -> bool:
    with suppress(OSError):  # where there is no directory any more, nothing is imported from it
        return not sys.flags.safe_path and sys.path[0] == str(Path.cwd())
    return False
