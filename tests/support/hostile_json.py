"""Arguments that a lenient reader would make something of, and texts that no reader should."""

from __future__ import annotations

CONVERTIBLE: list[tuple[str, str, bytes]] = [
    *[("set-health-interval", "seconds", value) for value in (b"true", b'"5"', b"[5]", b"null", b"9" * 400)],
    *[("snapshot", "width", value) for value in (b"true", b'"320"', b"320.0", b"3.2e2", b"null", b"9" * 4000)],
    *[("bookmark", "incident", value) for value in (b"26", b"true", rb'"26\n"', rb'"\u0000"', b'"26-1 "', b'["26-1"]')],
    *[("hold", "until", value) for value in (b'"2026-07-01T00:00:00"', b"1782864000", b'"1782864000"', b'"2026-07-01"')],
]
"""Verb, argument, and what is no value of it, though near to one."""

ILL_CODED: list[bytes] = [
    *[b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"9" * 6000, b"0x10", b"01", b"1.", b"+1", b"'x'", b"1, ", b"1} {"],
    *[rb'"\ud800"', rb'"\udc00"', rb'"\ud800\u0041"', b'"\xed\xa0\x80"', b'"\xff"', b'"\xc0\xaf"', b'"\0"', b'"\n"', rb'"\x"'],
    *[b"\0", b"[" * 16_000, b"[" * 7_000 + b"]" * 7_000, b'{"a":' * 3_000],
]
"""As the value of an argument: no JSON, or nested deeper than anybody reads."""


def with_text(body: bytes, name: str, value: bytes) -> bytes:
    """A request, with one more argument that is written as it stands here."""
    return body[:-1] + f', "{name}": '.encode() + value + b"}"
