"""Supplementary information that is not signed: what of it changes nothing that is shown (ITU-T H.264, annex D)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from agent.base.phrase import say
from agent.evidence.bits import Bits
from agent.evidence.parameters import Timing
from agent.signing import nal

_BUFFERING, _TIMING, _FILLER, _UNREGISTERED, _RECOVERY = 0, 1, 3, 5, 6
_HARMLESS: Final = frozenset((_BUFFERING, _TIMING, _FILLER, _UNREGISTERED, _RECOVERY))
_UNKNOWN: Final = say("players may know what it means")
_WHAT: Final = {
    2: say("a pan and scan rectangle, which cuts the picture"),
    4: say("captions or other registered data, which players show over the picture"),
    19: say("film grain, which players add to the picture"),
    45: say("stereo packing, which makes players show a part of the picture"),
    47: say("a display orientation, which turns or mirrors the picture"),
    137: say("colours of a mastering display"),
    144: say("light levels"),
    147: say("another transfer characteristic, which changes the colours"),
}
_MOST_MESSAGES: Final = 64
_UUID_BYTES: Final = 16
_X264: Final = re.compile(rb"x264\s*-\s*core(?: (\d{1,4})(?!\d))?")
_SOUND_X264: Final = 151
REWORKED: Final = say("unsigned picture timing says fields or repeats: players rework the picture")


def examine_sei(unit: bytes, timings: Sequence[Timing]) -> str:
    """What an unsigned SEI unit may do to the frame, in words; empty when nothing. `timings` of the SPS in force."""
    try:
        for kind, payload in _messages(nal.unescape(unit[1:])):
            if kind not in _HARMLESS:
                return say("unsigned supplementary information of type {kind}: {what}", kind=kind, what=_WHAT.get(kind, _UNKNOWN))
            if kind == _FILLER and payload.strip(b"\xff"):
                return say("padding that is none")
            if kind == _TIMING and any(_says_fields(payload, timing) for timing in timings):
                return REWORKED
            if kind == _UNREGISTERED and _names_an_old_x264(payload[_UUID_BYTES:]):
                return say("says that an old x264 made it: FFmpeg makes up for the faults of that one, and shows other pictures")
    except ValueError:
        return say("supplementary information that is longer or shorter than it says")
    return ""


def _names_an_old_x264(text: bytes) -> bool:
    """FFmpeg reads the build as C's `scanf` does, whatever the UUID. A build without known faults is as good as none."""
    found = _X264.match(text)
    return found is not None and not (found[1] is not None and int(found[1]) >= _SOUND_X264)


def _messages(payload: bytes) -> Iterator[tuple[int, bytes]]:
    at, end = 0, len(payload)
    for _ in range(_MOST_MESSAGES):
        kind, at = _number(payload, at)
        size, at = _number(payload, at)
        if at + size > end:
            raise ValueError
        yield kind, payload[at : at + size]
        at += size
        if payload[at:] == b"\x80":
            return
    raise ValueError


def _number(payload: bytes, at: int) -> tuple[int, int]:
    """A number in the SEI's own form, and where it ends."""
    start = at
    while payload[at : at + 1] == b"\xff":
        at += 1
    if at >= len(payload):
        raise ValueError
    return 255 * (at - start) + payload[at], at + 1


def _says_fields(payload: bytes, timing: Timing) -> bool:
    if not timing.structure:
        return False
    bits = Bits(payload)
    for size in timing.delays or ():
        bits.unsigned(size)
    return bits.unsigned(4) != 0
