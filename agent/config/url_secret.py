"""Passwords that stand inside an address: behind a name in its path or query, wherever a maker put them.

`rtsp://host/user=admin&password=x&channel=1`, `/user=admin_password=x_channel=1_stream=0.sdp`, `?token=x`: such an address
would carry its secret into logs, health and the reference of the view.
"""

from __future__ import annotations

import itertools
import re
from typing import Final
from urllib.parse import unquote

PLACEHOLDER: Final = "{password}"
"""What stands in an address in the password's place; the driver puts in what `password_file` holds."""

_NAMES = (
    r"(?:login|user|usr)?_?(?:pass(?:word|wd|wort|phrase|code)?|pas|pwd|psw|passw|pw)|pin|mot_?de_?passe|mdp|secret"
    r"|(?:access_?)?token|auth(?:_?key)?|(?:api|access)_?key"
)
_END = r"(?=[&;,/?#\s\"']|_[A-Za-z]+=|$)"
_NAMED = re.compile(rf"(?<![A-Za-z0-9])(?P<name>{_NAMES})=(?P<secret>.*?){_END}", re.IGNORECASE)
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_UP_TO_THE_HOST = re.compile(r"(?<=://)\S+(?=@)")
_NO_PORT = re.compile(r"(?<=://)[^\s/:@\"'\[]*:(?P<secret>(?!\d{1,5}(?:[/?#\"']|\s|$))[^\s/@\"']+)")
_USER_INFO = re.compile(r"(?<=://)(?P<user>[^\s/@:\"']*):(?P<secret>[^\s/@\"']*)(?=@)")

_BEHIND_THE_HOST = re.compile(r"(?<=://)[^\s/?#\"']+(?P<rest>[/?#][^\s\"']*)")
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_RUN = re.compile(rf"(?P<secret>{_UUID}|[A-Za-z0-9]{{12,}})")
_CHANGES_OF_A_WORD = 0.3
"""Of its letters so many at most are followed by one of another kind (small, large, digit): `MainStream1080p25` has 0.24."""


def secret_name(address: str) -> str | None:
    """The name behind which a secret stands in this address; None when there is none, or only the placeholder."""
    for text in (address, unquote(address)):
        for found in _NAMED.finditer(text):
            if found["secret"] and found["secret"] != PLACEHOLDER:
                return found["name"]
    return None


def holds_password(address: str) -> bool:
    """`user:password@host` stands in this address, also where the password has a `/`, `#`, `?`, `@` or `%3A` that tears it apart:
    `rtsp://admin:2023#x@camera` is a well-formed address of a host called admin.

    An @ in the path of what is plainly a host is none: `rtsp://10.0.0.9:554/live@2`.
    """
    behind_schemes = [found.end() for found in re.finditer("://", address)]
    return any(_password_before_host(address[start:]) for start in behind_schemes or [0])


def _password_before_host(text: str) -> bool:
    before, at, _ = text.rpartition("@")
    authority = re.split(r"[/?#]", before, maxsplit=1)[0]
    if not at:
        return False
    if authority == before:
        return ":" in unquote(authority)
    user, at, _ = authority.rpartition("@")
    if at:
        return ":" in unquote(user)
    host, colon, _ = unquote(authority).rpartition(":")
    return bool(colon) and not (host == "localhost" or "." in host or host.startswith("["))


def unnamed_secret(address: str) -> bool:
    """Whether a part of the path or query looks drawn at random: there are addresses whose path is what lets one in."""
    behind = _BEHIND_THE_HOST.search(address)
    return behind is not None and any(_is_random(run["secret"]) for run in _RUN.finditer(behind["rest"]))


def random_starred(text: str) -> str:
    """The text, as long as it was, with asterisks for what looks so in the addresses in it."""
    return _BEHIND_THE_HOST.sub(_of_the_rest_starred, text)


def _of_the_rest_starred(found: re.Match[str]) -> str:
    host = found.group()[: found.start("rest") - found.start()]
    return host + _RUN.sub(lambda run: "*" * len(run.group()) if _is_random(run["secret"]) else run.group(), found["rest"])


def _is_random(run: str) -> bool:
    if re.fullmatch(_UUID, run):
        return True
    kinds = ["0" if letter.isdigit() else "a" if letter.islower() else "A" for letter in run]
    changes = sum(after != before and (before, after) != ("A", "a") for before, after in itertools.pairwise(kinds))
    return changes > _CHANGES_OF_A_WORD * len(run)


def line_starred(line: str) -> str:
    """A line of a file, as long as it was, with asterisks for whatever may be a password in an address, well-formed or not."""
    line = _STRING.sub(lambda found: _before_the_host_starred(found.group()), line)
    line = _UP_TO_THE_HOST.sub(lambda found: "*" * len(found.group()), line)
    return random_starred(starred(_NO_PORT.sub(_stars, line)))


def _before_the_host_starred(string: str) -> str:
    """The quoted string, with asterisks from the scheme, where there is one, to its last @."""
    before, at, host = string[1:].rpartition("@")
    if not at or ":" not in before:
        return string
    scheme, separator, secret = before.partition("://") if "://" in before else ("", "", before)
    return f"{string[0]}{scheme}{separator}{'*' * len(secret)}@{host}"


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
