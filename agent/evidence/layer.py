"""A span of time and the masks that lay on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Layer:
    """Which masks lay on the pictures of [from_ns, to_ns), wall time."""

    from_ns: int
    to_ns: int
    digest: str
    opaque: bool
    view: str
