"""How many bytes a PUBLISH or a SUBSCRIBE takes on the wire: what a broker's largest packet is held against."""

from __future__ import annotations

from collections.abc import Sequence

from agent.ports.mqtt import Publication

_ALIAS_BYTES = 3
_PACKET_ID_BYTES = 2
_NUMBER_BYTES = 5


def packet_bytes(publication: Publication) -> int:
    """The whole packet, as long as it can get: with a packet id and a topic alias."""
    properties = _ALIAS_BYTES
    properties += sum(1 + _text(name) + _text(value) for name, value in publication.user_properties)
    if publication.expiry_s is not None:
        properties += _NUMBER_BYTES
    if publication.response_topic is not None:
        properties += 1 + _text(publication.response_topic)
    if publication.correlation_data is not None:
        properties += 1 + 2 + len(publication.correlation_data)
    if publication.content_type is not None:
        properties += 1 + _text(publication.content_type)
    rest = _text(publication.topic) + _PACKET_ID_BYTES + _length_bytes(properties) + properties + len(publication.payload or b"")
    return 1 + _length_bytes(rest) + rest


def subscriptions(filters: Sequence[str], most: int | None) -> list[list[str]]:
    """The filters in their order, in as few packets as a broker takes; one that fits into none is left out."""
    packets: list[list[str]] = []
    for each in filters:
        if packets and _fits([*packets[-1], each], most):
            packets[-1].append(each)
        elif _fits([each], most):
            packets.append([each])
    return packets


def _fits(filters: Sequence[str], most: int | None) -> bool:
    rest = _PACKET_ID_BYTES + 1 + sum(_text(each) + 1 for each in filters)
    return most is None or 1 + _length_bytes(rest) + rest <= most


def _text(text: str) -> int:
    return 2 + len(text.encode("utf-8", "replace"))


def _length_bytes(number: int) -> int:
    """MQTT's variable byte integer: seven bits a byte."""
    return max(1, (number.bit_length() + 6) // 7)
