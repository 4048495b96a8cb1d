"""The slices of a film that wait for their signature, and how they are hashed together."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from agent.evidence.alignment import Alignment, align
from agent.signing.tlv import NO_HASH, GopInformation

_STRAY_UNITS: Final = 64


class Unit(Struct, frozen=True, gc=False):
    """A hashed slice. `ordinal` counts the slices of the film; `sets` is the digest of the parameter sets in force, empty if none
    are known.
    """

    ordinal: int
    picture: int
    digest: bytes
    gop_start: bool
    sets: bytes


def side_by_side(units: Sequence[Unit]) -> list[list[Unit]]:
    """Cut into runs of which each unit follows the one before, in the film as well."""
    runs: list[list[Unit]] = []
    for unit in units:
        if runs and unit.ordinal == runs[-1][-1].ordinal + 1:
            runs[-1].append(unit)
        else:
            runs.append([unit])
    return runs


class PendingUnits:
    """In decoding order. One thread.

    `anchor` is the hash that every slice of its GOP is hashed with; None when it is not known.
    """

    def __init__(self, hash_name: str) -> None:
        self._name = hash_name
        self._units: deque[Unit] = deque()
        self._starts: Counter[bytes] = Counter()
        self.anchor: bytes | None = None

    def __len__(self) -> int:
        return len(self._units)

    @property
    def first(self) -> Unit | None:
        return self._units[0] if self._units else None

    @property
    def starts(self) -> int:
        """How many GOPs begin among the units."""
        return self._starts.total()

    def hash(self, data: bytes) -> bytes:
        """With the film's algorithm."""
        return hashlib.sha256(data).digest() if self._name == "sha256" else hashlib.new(self._name, data).digest()

    def add(self, unit: Unit) -> None:
        """The next one."""
        self._units.append(unit)
        if unit.gop_start:
            self._starts[unit.digest] += 1

    def drop(self, count: int) -> list[Unit]:
        """Take the first ones away."""
        dropped = [self._units.popleft() for _ in range(min(count, len(self._units)))]
        for unit in dropped:
            if unit.gop_start:
                self._starts[unit.digest] -= 1
        return dropped

    def head(self, count: int) -> list[Unit]:
        """The first ones; they stay."""
        return list(islice(self._units, count))

    def window(self, hashes: Sequence[bytes], count: int) -> list[Unit]:
        """The units that may be of a GOP of these hashes: twice as many as were signed, from where it begins."""
        begins_at = self._begin_of(hashes[0]) if hashes else 0
        return self.head(begins_at + 2 * (len(hashes) or count) + _STRAY_UNITS)

    def align(self, units: Sequence[Unit], hashes: Sequence[bytes], boundary: int, *, starts_gop: bool) -> Alignment:
        """The units beside the signed hashes. After a partial GOP either its GOP goes on or, after a pause, a new one begins."""
        first = hashes[0]
        begun = align(
            [unit.digest if unit.digest == first else self.hash(first + unit.digest) for unit in units], hashes, boundary
        )
        if not starts_gop and self.anchor is not None:
            anchor = self.anchor
            going_on = align([self.hash(anchor + unit.digest) for unit in units], hashes, boundary)
            if going_on.in_order >= begun.in_order:
                return going_on
        self.anchor = first
        return begun

    def _begin_of(self, first: bytes) -> int:
        """Where the GOP begins whose first hash this is; 0 when it does not."""
        if not self._starts[first]:
            return 0
        return next(number for number, unit in enumerate(self._units) if unit.gop_start and unit.digest == first)

    def digest(self, unit: Unit) -> bytes:
        """As it stands in a hash list."""
        return unit.digest if unit.gop_start else self.hash((self.anchor or NO_HASH) + unit.digest)

    def is_whole(self, gop: GopInformation) -> bool:
        """True when the first units are exactly the signed ones."""
        if not 0 < gop.nal_units <= len(self._units):
            return False
        total = hashlib.new(self._name)
        anchor = self.anchor
        for unit in islice(self._units, gop.nal_units):
            if unit.gop_start:
                anchor = unit.digest
                total.update(unit.digest)
            elif anchor is None:
                return False
            else:
                total.update(self.hash(anchor + unit.digest))
        return total.digest() == gop.gop_hash

    def advance(self, units: Sequence[Unit]) -> None:
        """These were taken: the last GOP that began among them goes on."""
        for unit in units:
            if unit.gop_start:
                self.anchor = unit.digest
