"""What differs between two configurations, key by key. What a running node does about it is for its features to say."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from agent.config.fields import Section
from agent.config.model import Config
from agent.config.url_secret import random_starred


class Change(Struct, frozen=True):
    """One key that differs; None: it is not set."""

    key: str
    old: Any
    new: Any

    def __str__(self) -> str:
        return f"{self.key}: {_shown(self.old)} -> {_shown(self.new)}"


def changes(old: Config, new: Config) -> tuple[Change, ...]:
    """In the model's order."""
    before, after = keys_of(old), keys_of(new)
    names = [*after, *(key for key in before if key not in after)]
    pairs = ((key, before.get(key), after.get(key)) for key in names)
    return tuple(Change(key, was, now) for key, was, now in pairs if was != now)


def keys_of(section: Section, at: str = "") -> dict[str, Any]:
    """Every dotted key and its value; an optional section that is not there has none."""
    keys: dict[str, Any] = {}
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Section) and not at:
            keys |= keys_of(value, f"{name}.")
        elif value is not None or at:
            keys[at + name] = value
    return keys


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, Section):
        return "set"
    if isinstance(value, tuple):
        return "1 entry" if len(value) == 1 else f"{len(value)} entries"
    if isinstance(value, bool):
        return str(value).lower()
    return random_starred(value) if isinstance(value, str) else str(value)
