"""Ids that are unique for good and sort by time: ULIDs, 26 letters of Crockford's base 32.

48 bits of Unix milliseconds, then 80 random ones. Source: the ULID specification (github.com/ulid/spec).
"""

from __future__ import annotations

import os
import re

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FORM = re.compile(rf"[0-7][{_LETTERS}]{{25}}")
_NS_PER_MS = 1_000_000
_LATEST_MS = (1 << 48) - 1
_RANDOM_BYTES = 10


def new_event_id(wall_ns: int) -> str:
    """An id of this moment, in Unix nanoseconds: sortable as far as the clock could be trusted."""
    at_ms = min(max(0, wall_ns // _NS_PER_MS), _LATEST_MS)
    number = at_ms << 8 * _RANDOM_BYTES | int.from_bytes(os.urandom(_RANDOM_BYTES))
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -5, -5))


def is_event_id(text: object) -> bool:
    """Whether this can be one of ours."""
    return isinstance(text, str) and _FORM.fullmatch(text) is not None
