"""A value that is well-formed and still wrong: what the checks of our own raise, with the place inside the checked thing."""

from __future__ import annotations

from agent.config.locate import KeyPath


class Misfit(ValueError):
    """`at` leads from the checked section or value to what is wrong; `remedy` says what would be right."""

    def __init__(self, what: str, *, at: KeyPath = (), remedy: str = "") -> None:
        super().__init__(f"{what}: {remedy}" if remedy else what)
        self.what = what
        self.at = at
        self.remedy = remedy
