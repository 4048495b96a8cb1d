"""The Transport header: how a viewer wants its packets carried, and which of its offers is taken."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from hardware.live_rtsp.answer import ProtocolFault

_PAIR: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_MOST_OFFERS: Final = 16


class Interleaved(Struct, frozen=True):
    """In the RTSP connection itself, on two channels."""

    data: int
    control: int


class Datagrams(Struct, frozen=True):
    """By UDP to two ports of the address the connection came from."""

    data: int
    control: int


Carriage = Interleaved | Datagrams


def choose(header: str, *, datagrams: bool) -> Carriage:
    """The first offer that can be kept. ProtocolFault 461 when there is none."""
    for offer in header.split(",")[:_MOST_OFFERS]:
        found = _read(offer.strip(), datagrams=datagrams)
        if found is not None:
            return found
    raise ProtocolFault(461)


def _read(offer: str, *, datagrams: bool) -> Carriage | None:
    profile, *rest = (part.strip() for part in offer.split(";"))
    said = {name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in rest)}
    if "multicast" in said or said.get("mode", "play").strip('"').lower() != "play":
        return None
    if profile.upper() == "RTP/AVP/TCP":
        pair = _pair(said.get("interleaved", "0-1"), 254)
        return Interleaved(*pair) if pair is not None else None
    if profile.upper() in ("RTP/AVP", "RTP/AVP/UDP") and datagrams:
        pair = _pair(said.get("client_port", ""), 65534)
        return Datagrams(*pair) if pair is not None and pair[0] >= 1024 else None
    return None


def _pair(text: str, most: int) -> tuple[int, int] | None:
    """Two numbers in a row; the second may be left unsaid."""
    match = _PAIR.fullmatch(text)
    if match is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else first + 1
    return (first, second) if first <= most and second == first + 1 else None
