"""What each fragment says of itself, in a `uuid` box before its `moof`: enough to rebuild a catalog row from the file alone."""

from __future__ import annotations

import json
import struct
import uuid
from dataclasses import dataclass, field
from typing import Final, Self

from agent.recording.row import MaskSpan
from agent.video.access_unit import AccessUnit

NOTE_UUID: Final = uuid.UUID("6d8f6f0e-3c0a-5b0e-9d2c-76696769656e").bytes


@dataclass(slots=True)
class FragmentNote:
    """The fragment's first instant in media and wall time, its end, its pictures and the masks that lay on them."""

    boot: str
    media_ns: int
    wall_ns: int
    media_to_ns: int = 0
    frames: int = 0
    masks: list[MaskSpan] = field(default_factory=list)

    def add(self, unit: AccessUnit) -> None:
        """Count one picture in."""
        end_ns = unit.pts_ns + unit.duration_ns
        self.frames += 1
        self.media_ns = min(self.media_ns, unit.pts_ns)
        self.media_to_ns = max(self.media_to_ns, end_ns)
        if self.masks and (self.masks[-1].digest, self.masks[-1].opaque) == (unit.mask_digest, unit.opaque):
            self.masks[-1] = MaskSpan(self.masks[-1].from_ns, end_ns, unit.mask_digest, unit.opaque)
        else:
            self.masks.append(MaskSpan(unit.pts_ns, end_ns, unit.mask_digest, unit.opaque))

    def box(self) -> bytes:
        """The box as it stands in the file."""
        facts = {
            "boot": self.boot,
            "media": self.media_ns,
            "wall": self.wall_ns,
            "to": self.media_to_ns,
            "frames": self.frames,
            "masks": [[m.from_ns - self.media_ns, m.to_ns - self.media_ns, m.digest, m.opaque] for m in self.masks],
        }
        body = NOTE_UUID + json.dumps(facts, separators=(",", ":")).encode()
        return struct.pack(">I4s", 8 + len(body), b"uuid") + body

    @classmethod
    def read(cls, body: bytes) -> Self | None:
        """The note in the payload of a `uuid` box; None when it is somebody else's box or is no note of ours."""
        if body[:16] != NOTE_UUID:
            return None
        try:
            facts = json.loads(body[16:])
            media_ns = int(facts["media"])
            masks = [MaskSpan(media_ns + int(a), media_ns + int(b), str(digest), bool(o)) for a, b, digest, o in facts["masks"]]
            return cls(str(facts["boot"]), media_ns, int(facts["wall"]), int(facts["to"]), int(facts["frames"]), masks)
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
