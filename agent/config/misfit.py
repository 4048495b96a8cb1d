"""A value that is well-formed and still wrong: what the checks of our own raise, with the place inside the checked thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from agent.config.locate import KeyPath

NOTHING: Final = object()
"""Said of a key that had better not be there."""


class Misfit(ValueError):
    """`at` leads from the checked section or value to what is wrong; `remedy` says what would be right.

    `beside` leads to every other key that was judged together with it: were one of them lost, nothing would be known.
    `instead` is a value that would serve at `at`, NOTHING when the key should go, None when nobody can tell.
    """

    def __init__(
        self, what: str, *, at: KeyPath = (), beside: Sequence[KeyPath] = (), remedy: str = "", instead: Any = None
    ) -> None:
        super().__init__(f"{what}: {remedy}" if remedy else what)
        self.what = what
        self.at = at
        self.beside = tuple(beside)
        self.remedy = remedy
        self.instead = instead
