"""A health document cut down to what a broker takes: a node that is heard of briefly is better than one that is silent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from agent.ports.health import UplinkHealth
from agent.ports.mqtt import Publication
from agent.uplink.packet_size import packet_bytes

HEALTH_EXPIRY_S: Final = 24 * 3600
_LONGEST_WORDS: Final = 100


def health_publication(topic: str, document: bytes, largest_packet: int | None) -> Publication:
    """Retained for a day at most, at QoS 0: the next one comes soon. Cut to what the broker takes, as far as that goes."""
    empty = Publication(topic, b"", 0, True, expiry_s=HEALTH_EXPIRY_S, content_type="application/json")
    if largest_packet is not None:
        document = cut_to(document, largest_packet - packet_bytes(empty))
    return replace(empty, payload=document)


def with_line(document: bytes, line: UplinkHealth) -> bytes:
    """The same with the line's part as it is now: a document of before a connect still says that the line is down."""
    try:
        health: Any = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        return document
    if not isinstance(health, dict) or "uplink" not in health:
        return document
    health["uplink"] = msgspec.to_builtins(line, enc_hook=str)  # what is said to people goes out in English
    return msgspec.json.encode(health)


def cut_to(document: bytes, most_bytes: int) -> bytes:
    """The same without what can best be spared, until it fits; as short as it gets where nothing does."""
    if len(document) <= most_bytes:
        return document
    health: Any = msgspec.json.decode(document)
    if not isinstance(health, dict):
        return document
    for cut in _CUTS:
        cut(health)
        document = msgspec.json.encode(health)
        if len(document) <= most_bytes:
            break
    return document


def _drivers_metrics(health: dict[str, Any]) -> None:
    for part, name in (("camera", "figures"), ("board", "more")):
        _part(health, part).pop(name, None)


def _long_words(health: dict[str, Any]) -> None:
    for part in health.values():
        for name, value in part.items() if isinstance(part, dict) else ():
            if isinstance(value, str) and len(value) > _LONGEST_WORDS:
                part[name] = value[: _LONGEST_WORDS - 1] + "…"


def _what_is_well(health: dict[str, Any]) -> None:
    """Components that run are no news; of the younger parts, whose names no hub counts on, what says nothing is left out."""
    health["components"] = {name: state for name, state in _part(health, "components").items() if state != "running"}
    for part in ("evidence", "uplink", "live", "onvif"):
        found = _part(health, part)
        for name in [name for name, value in found.items() if value in (None, "", 0, False, "off")]:
            del found[name]


def _part(health: dict[str, Any], name: str) -> dict[str, Any]:
    part = health.get(name)
    return part if isinstance(part, dict) else {}


_CUTS: Final[tuple[Callable[[dict[str, Any]], None], ...]] = (_drivers_metrics, _long_words, _what_is_well)
