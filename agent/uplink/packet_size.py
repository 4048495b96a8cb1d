"""How many bytes a PUBLISH takes on the wire: what a broker's largest packet is held against."""

from __future__ import annotations

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


def _text(text: str) -> int:
    return 2 + len(text.encode("utf-8", "replace"))


def _length_bytes(number: int) -> int:
    """MQTT's variable byte integer: seven bits a byte."""
    return max(1, (number.bit_length() + 6) // 7)
