"""Topics that a broker has heard before go out as numbers, where it takes numbers."""

from __future__ import annotations

from paho.mqtt.properties import Properties

MOST: int = 64


class TopicAliases:
    """Those of one connection. One thread."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._most = 0

    def grant(self, most: int) -> None:
        """The broker takes so many."""
        self._most = min(most, MOST)

    def clear(self) -> None:
        """The connection is over, and with it what the broker remembered; what it granted holds until the next grant."""
        self._known.clear()

    def name(self, topic: str, properties: Properties) -> str:
        """What to send as the topic: nothing where a number says it. The number goes into `properties`."""
        alias = self._known.get(topic)
        if alias is not None:
            properties.TopicAlias = alias
            return ""
        if len(self._known) < self._most:
            self._known[topic] = properties.TopicAlias = len(self._known) + 1
        return topic
