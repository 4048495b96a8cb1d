"""Every reason code a broker may send is a number to us: paho knows some, and takes a packet with another for damaged."""

from __future__ import annotations

from collections.abc import Mapping

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

_WITH_REASON = (
    PacketTypes.CONNACK,
    PacketTypes.PUBACK,
    PacketTypes.PUBREC,
    PacketTypes.PUBREL,
    PacketTypes.PUBCOMP,
    PacketTypes.SUBACK,
    PacketTypes.UNSUBACK,
    PacketTypes.DISCONNECT,
    PacketTypes.AUTH,
)


def accept_every_reason() -> None:
    """Name what paho has no name for, in the table it reads packets by: one of tomorrow must not end the connection."""
    ReasonCode.names = _completed(ReasonCode.names)


def _completed(names: Mapping[int, Mapping[str, list[int]]]) -> dict[int, dict[str, list[int]]]:
    found: dict[int, dict[str, list[int]]] = {}
    for code in range(256):
        known = {name: list(packets) for name, packets in names.get(code, {}).items()}
        named = {packet for packets in known.values() for packet in packets}
        unnamed = [packet for packet in _WITH_REASON if packet not in named]
        found[code] = {**known, f"reason 0x{code:02x}": unnamed} if unnamed else known
    return found
