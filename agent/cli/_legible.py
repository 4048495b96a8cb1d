"""Text that somebody else wrote, as it may reach a terminal: what moves a cursor or turns the line is spelled out."""

from __future__ import annotations

import re
from typing import Final

_JSON_SPELLED: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


_UNBROKEN: Final = "\u00a0\u202f"
"""Spaces that do not break: French has them in numbers and before a colon."""


def legible(text: str) -> str:
    """`text` with every character that cannot be printed as its escape: `ESC` as a backslash, x, 1, b."""
    return "".join(
        c if c.isprintable() or c in _UNBROKEN else c.encode("unicode_escape", "backslashreplace").decode() for c in text
    )


def legible_json(document: str) -> str:
    """The same for a JSON text, which stays the same document: the encoder leaves C1 and bidirectional controls as they are."""
    return _JSON_SPELLED.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
