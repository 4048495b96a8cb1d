"""The head beside a register: number and digest of its last line, so that a register which lost its end can be told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.durable_file import replace_durably
from agent.base.regular_file import read_regular

_MOST_BYTES: Final = 1 << 10


class Head(Struct, frozen=True):
    """The end of the chain: number and digest of the last line."""

    n: int
    digest: str


def head_path(path: Path) -> Path:
    """Where the head of the register at `path` lies."""
    return path.with_suffix(".head")


def read_head(path: Path) -> Head | None:
    """The head beside the register at `path`; None when there is none, or none that can be read."""
    try:
        fields = json.loads(read_regular(head_path(path), _MOST_BYTES, follow=False))
        return Head(int(fields["n"]), str(fields["digest"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_head(path: Path, head: Head) -> None:
    """In the place of the one before, durable on return. Raises OSError."""
    replace_durably(head_path(path), json.dumps({"n": head.n, "digest": head.digest}).encode() + b"\n", mode=0o640)
