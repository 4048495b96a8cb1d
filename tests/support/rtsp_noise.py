"""Requests that are near enough to RTSP to get past the first look, and then are not: for tests and for hours of noise."""

from __future__ import annotations

import random

VERBS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER", "RECORD", "X" * 40, "get"]
NAMES = [
    "CSeq",
    "Session",
    "Transport",
    "Authorization",
    "Content-Length",
    "Require",
    "Range",
    "Accept",
    "",
    " ",
    "A" * 70,
    "X\0",
]
VALUES = ["1", "-1", "99999999999", "4096", "npt=now-", "RTP/AVP/TCP;interleaved=0-1", "Digest a=b", "\x7f", "é", "a" * 3000]
PLACES = [
    "*",
    "rtsp://x/live",
    "rtsp://x/live/track1",
    "rtsp://[::1/live",
    "/live",
    "//",
    "rtsp://x:99999999/live",
    "\t",
    "x" * 3000,
]


def noise(chance: random.Random) -> bytes:
    """A few requests in a row, some bytes of them changed."""
    verb, place = chance.choice(VERBS), chance.choice(PLACES)
    lines = [
        f"{verb} {place} RTSP/1.0",
        "CSeq: 1",
        *(f"{chance.choice(NAMES)}: {chance.choice(VALUES)}" for _ in range(chance.randrange(8))),
    ]
    data = bytearray(("\r\n".join(lines) + "\r\n\r\n").encode() * chance.randrange(1, 12))
    for _ in range(chance.randrange(6)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)
