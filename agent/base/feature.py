"""The one front door by which a feature joins the house.

Here belongs what the node asks of every feature, in loops; what a feature does belongs to its room. Invariants:

1. A key of the configuration has one feature that answers for it. What nobody answers for waits for a restart, and says so.
2. A key is told as in force only by the function that put it in force: a `Setting` is both.
3. A part of health has one feature that fills it; so has a figure of the summary, and the name of a component.
4. A state is told to the hub as long as some feature tells it in this configuration; then it is withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, ClassVar, Generic, TypeVar

from msgspec import Struct

from agent.base.component import Component
from agent.base.topic import Topic

Settings = TypeVar("Settings")
"""The configuration, which this room does not know."""


class Setting(Struct, Generic[Settings], frozen=True):
    """Keys that are taken while the node runs: `take` puts the new values in force, `consequence` says what follows."""

    keys: tuple[str, ...]
    consequence: str
    take: Callable[[Settings], object]


class Taken(Struct, frozen=True):
    """What came of a changed configuration. `applied`: keys in force now, under what follows from them; `waiting`: the others."""

    applied: Mapping[str, tuple[str, ...]]
    waiting: tuple[str, ...] = ()


class Feature(Generic[Settings]):
    """One thing the node does. A feature makes its parts in its constructor; nothing runs before its components are started.

    `health` and `sentence` are called on any thread, about once a second, and neither block nor raise. The rest belongs to the
    main thread.
    """

    topics: ClassVar[tuple[Topic, ...]] = ()
    """What it tells the hub."""
    keys: ClassVar[tuple[str, ...]] = ()
    """Dotted keys and whole sections it answers for; a key goes before a section."""

    def components(self) -> Sequence[Component]:
        """What runs, in the order of starting; stopped in reverse."""
        return ()

    def health(self) -> Mapping[str, Any]:
        """The fields of the health document that it fills."""
        return {}

    def sentence(self) -> str:
        """How it fares, for the service manager's status line; empty when there is nothing to say. Any thread."""
        return ""

    def summary(self) -> Mapping[str, Any]:
        """What it did since the start."""
        return {}

    def settings(self) -> Sequence[Setting[Settings]]:
        """Which of its keys it takes while it runs."""
        return ()

    def operations(self) -> Sequence[Any]:
        """What may be asked of it: `agent.operations.operation.Operation`."""
        return ()

    def take(self, old: Settings, new: Settings, changed: frozenset[str]) -> Taken:  # noqa: ARG002 - for whoever must know both
        """Put into force what can be, and say what. Called at every reload.

        `changed` are those of its keys that differ, or were taken half when a reload failed. Raises VigieError when a value is
        not in force afterwards. Anything else it raises is a bug, which ends the node in order: its service starts it anew, and
        then the new file is in force whole. A node that went on might go by half of it.
        """
        applied: dict[str, tuple[str, ...]] = {}
        for setting in self.settings():
            keys = tuple(sorted(key for key in changed if owner_of(key, setting.keys)))
            if keys:
                setting.take(new)
                applied[setting.consequence] = keys
        done = {key for keys in applied.values() for key in keys}
        return Taken(applied, tuple(sorted(changed - done)))

    def is_live(self, key: str) -> bool:
        """Whether a running node takes this key of the feature's."""
        return any(owner_of(key, setting.keys) for setting in self.settings())

    def enter(self, new: Settings, changed: frozenset[str]) -> None:
        """After everything was handed out: enter what the register must hear of these changes besides their names."""

    def tells(self, topic: Topic, settings: Settings) -> bool:
        """Whether it tells this topic under these settings."""
        return not topic.key or bool(reduce(getattr, topic.key.split("."), settings))


def owner_of(key: str, claims: Sequence[str]) -> str:
    """The claim that a key falls under: itself, or its section; empty when there is none."""
    section = key.partition(".")[0]
    return key if key in claims else section if section in claims else ""
