"""A value written in TOML."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any


def written(value: Any) -> str:
    """`value` as it stands in a file: a text or path, number, switch, day, or list of them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | Path):
        # A JSON string is a TOML string, but for DEL, which TOML wants escaped.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(item) for item in value) + "]"
    return value.isoformat() if isinstance(value, date) else repr(value)
