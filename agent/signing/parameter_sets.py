"""Which SPS and PPS a GOP is decoded with, and how its signature states them.

ONVIF Media Signing hashes slices only: with other parameter sets the same slices show another picture (its cropping, its
size). So the signer of Vigie states, in the vendor information (tag 5) of every unit that signs a GOP, the digest of all
parameter sets in force when that GOP began. The field `firmware` then reads `0.9.0 sets:<43 characters of base64url>`.

Tag 7, arbitrary data, would be the place by its name. Its text wants it alone in a unit without signature. The reference seems to
take every such unit for one that signs a GOP: that is inferred from older sources of it, and was not tried with r25.12.3.
Tag 5 is allowed by both in any unit.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from agent.signing import nal

DIGEST_BYTES: Final = 32
_MARK: Final = " sets:"
_DIGEST_CHARACTERS: Final = 43
_MOST_SETS: Final = 32 + 256
# Behind header, profile, constraints and level; a PPS begins with its number.
_NUMBER_AT: Final = {nal.SPS: 4, nal.PPS: 1}


class ParameterSets:
    """The parameter sets in force: the latest of each kind and number. One thread."""

    def __init__(self) -> None:
        self._sets: dict[tuple[int, int], bytes] = {}

    def take(self, unit: bytes) -> bool:
        """Take a SPS or PPS (without start code; trailing zero bytes do not count). True when something changed.

        Raises ValueError for a unit without a number, or more of them than H.264 knows.
        """
        unit = unit.rstrip(b"\0")
        kind = nal.unit_type(unit) if unit else 0
        if kind not in _NUMBER_AT:
            raise ValueError("no parameter set")
        key = (kind, _number(unit, _NUMBER_AT[kind]))
        if self._sets.get(key) == unit:
            return False
        if len(self._sets) >= _MOST_SETS:
            raise ValueError("more parameter sets than H.264 knows")
        self._sets[key] = unit
        return True

    @property
    def units(self) -> tuple[bytes, ...]:
        """All of them: SPS first, each kind by its number."""
        return tuple(self._sets[key] for key in sorted(self._sets))

    @property
    def digest(self) -> bytes:
        """SHA-256 over every unit with its length (four bytes, big endian) before it, SPS first, each kind by its number."""
        made = hashlib.sha256()
        for unit in self.units:
            made.update(len(unit).to_bytes(4, "big") + unit)
        return made.digest()


def with_digest(firmware: str, digest: bytes) -> str:
    """The vendor information's `firmware` of a unit that signs a GOP."""
    return firmware + _MARK + urlsafe_b64encode(digest).rstrip(b"=").decode()


def split_digest(firmware: str) -> tuple[str, bytes | None]:
    """The firmware alone, and the digest it states; None when it states none."""
    plain, mark, text = firmware.rpartition(_MARK)
    if not mark or len(text) != _DIGEST_CHARACTERS or not text.isascii():
        return firmware, None
    try:
        digest = urlsafe_b64decode(text + "=")
    except ValueError:
        return firmware, None
    return (plain, digest) if len(digest) == DIGEST_BYTES else (firmware, None)


def _number(unit: bytes, at: int) -> int:
    """The ue(v) that begins at byte `at`."""
    head = nal.unescape(unit[: at + 12])[at:]
    bits = "".join(f"{byte:08b}" for byte in head)
    zeros = len(bits) - len(bits.lstrip("0"))
    if zeros > 8 or len(bits) < 2 * zeros + 1:
        raise ValueError("a parameter set without a number")
    return int(bits[zeros : 2 * zeros + 1], 2) - 1
