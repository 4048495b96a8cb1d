"""A span of time and the masks that lay on it."""

from __future__ import annotations

from msgspec import Struct


class Layer(Struct, frozen=True):
    """Which masks lay on the frames of [from_ns, to_ns), wall time."""

    from_ns: int
    to_ns: int
    digest: str
    opaque: bool
    view: str
