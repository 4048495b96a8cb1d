"""Passwords that stand inside an address: behind a name in its path or query, wherever a maker put them.

`rtsp://host/user=admin&password=x&channel=1`, `/user=admin_password=x_channel=1_stream=0.sdp`, `?token=x`: such an address
would carry its secret into logs, health and the reference of the view.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

PLACEHOLDER: Final = "{password}"
"""What stands in an address in the password's place; the driver puts in what `password_file` holds."""

_NAMES = (
    r"pass(?:word|wd|wort|phrase|code)?|pwd|psw|passw|pw|pin|mot_?de_?passe|mdp|secret"
    r"|(?:access_?)?token|auth(?:_?key)?|(?:api|access)_?key"
)
_END = r"(?=[&;,/?#\s\"']|_[A-Za-z]+=|$)"
_NAMED = re.compile(rf"(?<![A-Za-z0-9])(?P<name>{_NAMES})=(?P<secret>.*?){_END}", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)(?P<user>[^\s/@:\"']*):(?P<secret>[^\s/@\"']*)(?=@)")


def secret_name(address: str) -> str | None:
    """The name behind which a secret stands in this address; None when there is none, or only the placeholder."""
    for text in (address, unquote(address)):
        for found in _NAMED.finditer(text):
            if found["secret"] and found["secret"] != PLACEHOLDER:
                return found["name"]
    return None


def starred(text: str) -> str:
    """The text, as long as it was, with asterisks for each secret of an address in it; the placeholder is none."""
    for pattern in (_NAMED, _USER_INFO):
        text = pattern.sub(_stars, text)
    return text


def _stars(found: re.Match[str]) -> str:
    if found["secret"] == PLACEHOLDER:
        return found.group()
    before, after = found.start("secret") - found.start(), found.end("secret") - found.start()
    whole = found.group()
    return whole[:before] + "*" * (after - before) + whole[after:]
