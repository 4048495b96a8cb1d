"""The features of one node, and every loop over them: what runs, what health holds, what may be asked, what a reload changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from agent.base.clock import Clock
from agent.base.component import Component, ComponentState
from agent.base.feature import Feature, owner_of
from agent.base.topic import Topic
from agent.config.model import Config
from agent.config.reload import changes
from agent.events.outbox import Outbox
from agent.operations.operation import Operation
from agent.ports.event import Event, PropertyOperation

F = TypeVar("F", bound=Feature[Config])


class House:
    """Features move in once, in the order in which they start. Reading: any thread.

    `kinds` is the list of the house: a feature that was forgotten, or that stands on no list, is a bug that shows at the start.
    """

    def __init__(self, kinds: Sequence[type[Feature[Config]]]) -> None:
        self._kinds = tuple(kinds)
        self._features: tuple[Feature[Config], ...] = ()

    def move_in(self, features: Iterable[Feature[Config]]) -> None:
        """All of them, each kind once."""
        found = {type(feature): feature for feature in features}
        if set(found) != set(self._kinds):
            odd = sorted(kind.__name__ for kind in set(found) ^ set(self._kinds))
            raise TypeError(f"made and listed must be the same features; only one of both: {', '.join(odd)}")
        self._features = tuple(found[kind] for kind in self._kinds)
        twice = [name for name, count in Counter(self._claims()).items() if count > 1]
        if twice:
            raise TypeError(f"two features claim the same: {', '.join(twice)}")

    def __iter__(self) -> Iterator[Feature[Config]]:
        return iter(self._features)

    def find(self, kind: type[F]) -> F:
        """The one of this kind."""
        (found,) = (feature for feature in self._features if isinstance(feature, kind))
        return found

    def components(self) -> tuple[Component, ...]:
        """In the order of starting."""
        return tuple(component for feature in self for component in feature.components())

    def states(self) -> dict[str, ComponentState]:
        """Of the components, by name."""
        return {component.name: component.state for component in self.components()}

    def health(self) -> dict[str, Any]:
        """The fields of the document, from whoever fills them."""
        return {name: part for feature in self for name, part in feature.health().items()}

    def summary(self) -> dict[str, Any]:
        """What was done since the start."""
        return {name: figure for feature in self for name, figure in feature.summary().items()}

    def sentence(self) -> str:
        """One line for `systemctl status`."""
        return "; ".join(said for feature in reversed(self._features) if (said := feature.sentence()))

    def operations(self) -> Iterator[Operation]:
        """What may be asked of the node."""
        return (operation for feature in self for operation in feature.operations())

    def owner(self, key: str) -> Feature[Config] | None:
        """Who answers for a key of the configuration: whoever names it, else whoever has its section."""
        claims = {owner_of(key, feature.keys): feature for feature in self}
        return claims.get(key) or claims.get(key.partition(".")[0])

    def shares(self, keys: Iterable[str]) -> Mapping[Feature[Config], frozenset[str]]:
        """Each feature's own of these keys."""
        keys = tuple(keys)
        return {feature: frozenset(key for key in keys if self.owner(key) is feature) for feature in self}

    def waiting(self, begun_with: Config, config: Config) -> tuple[str, ...]:
        """Keys that differ and that no feature takes while the node runs."""
        differ = [change.key for change in changes(begun_with, config)]
        return tuple(key for key in differ if (owner := self.owner(key)) is None or not owner.is_live(key))

    def told(self, config: Config) -> tuple[Topic, ...]:
        """The topics that some feature tells in this configuration."""
        return tuple(topic for feature in self for topic in feature.topics if feature.tells(topic, config))

    def withdraw(self, outbox: Outbox, config: Config, clock: Clock) -> None:
        """Delete every standing state that no feature tells in this configuration: switched off, or of another version.

        Nobody shall believe the last one for ever. At the start, and after a reload.
        """
        told = {topic.name for topic in self.told(config) if topic.state}
        for event in outbox.standing():
            if event.topic not in told:
                outbox.raise_event(
                    Event(event.topic, clock.wall_ns(), event.source, {}, PropertyOperation.DELETED, priority=event.priority)
                )

    def _claims(self) -> Iterator[str]:
        for feature in self:
            yield from (f"key {key}" for key in feature.keys)
            yield from (f"topic {topic.name}" for topic in feature.topics)
            yield from (f"verb {operation.verb.name}" for operation in feature.operations())
            yield from (f"health {part}" for part in feature.health())
            yield from (f"summary {figure}" for figure in feature.summary())
            yield from (f"component {component.name}" for component in feature.components())


def topics_of(kinds: Sequence[type[Feature[Config]]]) -> tuple[Topic, ...]:
    """What a node of these features may tell, by name."""
    return tuple(sorted((topic for kind in kinds for topic in kind.topics), key=lambda topic: topic.name))
