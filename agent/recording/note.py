"""What each fragment says of itself, in a `uuid` box before its `moof`: enough to rebuild a catalog row from the file alone."""

from __future__ import annotations

import json
import struct
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Final, Self

from agent.base.clock import ClockQuality
from agent.picture.access_unit import AccessUnit
from agent.recording.row import Gap, MaskSpan, lay_on

NOTE_UUID: Final = uuid.UUID("6d8f6f0e-3c0a-5b0e-9d2c-76696769656e").bytes


@dataclass(slots=True)
class FragmentNote:
    """The fragment's first instant in media and wall time, its place, its end, its frames and the masks that lay on them.

    `trusted_ns` is the trusted time of that first instant. `crc` is the CRC-32 of the `moof` and `mdat` that follow: a power
    cut can leave a file as long as it should be whose last blocks were never written.
    """

    boot: str
    media_ns: int
    wall_ns: int
    trusted_ns: int
    clock: ClockQuality
    place: str = ""
    media_to_ns: int = 0
    frames: int = 0
    masks: list[MaskSpan] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    crc: int = 0

    def add(self, unit: AccessUnit, end_ns: int) -> None:
        """Count one frame in; it stands until `end_ns`."""
        self.frames += 1
        self.media_ns = min(self.media_ns, unit.pts_ns)
        self.media_to_ns = max(self.media_to_ns, end_ns)
        lay_on(self.masks, MaskSpan(unit.pts_ns, end_ns, unit.mask_digest, unit.opaque, unit.view))

    def box(self, fragment: bytes) -> bytes:
        """The box as it stands in the file, before `fragment`."""
        facts = {
            "boot": self.boot,
            "media": self.media_ns,
            "wall": self.wall_ns,
            "trusted": self.trusted_ns,
            "clock": self.clock,
            "to": self.media_to_ns,
            "frames": self.frames,
            "masks": [[m.from_ns - self.media_ns, m.to_ns - self.media_ns, m.digest, m.opaque, m.view] for m in self.masks],
            "gaps": [[g.from_ns, g.to_ns] for g in self.gaps],
            "crc": zlib.crc32(fragment),
        }
        if self.place:
            facts["place"] = self.place
        body = NOTE_UUID + json.dumps(facts, separators=(",", ":")).encode()
        return struct.pack(">I4s", 8 + len(body), b"uuid") + body

    @classmethod
    def read(cls, body: bytes) -> Self | None:
        """The note in the payload of a `uuid` box; None when it is somebody else's box or is no note of ours."""
        if body[:16] != NOTE_UUID:
            return None
        try:
            facts = json.loads(body[16:])
            media_ns = _instant(facts["media"])
            return cls(
                boot=str(facts["boot"]),
                media_ns=media_ns,
                wall_ns=_instant(facts["wall"]),
                trusted_ns=_instant(facts["trusted"]),
                clock=ClockQuality(facts["clock"]),
                place=str(facts.get("place", "")),
                media_to_ns=_instant(facts["to"]),
                frames=_instant(facts["frames"]),
                masks=[
                    MaskSpan(media_ns + _instant(a), media_ns + _instant(b), str(digest), bool(opaque), str(view))
                    for a, b, digest, opaque, view in facts["masks"]
                ],
                gaps=[Gap(_instant(a), _instant(b)) for a, b in facts["gaps"]],
                crc=_instant(facts["crc"]),
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def _instant(value: object) -> int:
    """An integer that SQLite can hold."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 62:
        raise ValueError(value)
    return value
