"""Real H.264 from the real mask and the real encoder, small enough to be made in every test run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from msgspec.structs import replace

from agent.base.clock import NS
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from hardware.encoder_libav import LibavEncoder

FPS = 25
WIDTH, HEIGHT = 64, 48
CORNER = np.array([[0.0, 0.0], [0.2, 0.0], [0.2, 0.2], [0.0, 0.2]])
WALL_NS = 1_780_315_200 * NS  # 2026-06-01T12:00:00Z


def masked(planes: Planes, time: FrameTime, digest: str = "masks-1") -> MaskedFrame:
    """The picture with its top left corner covered, as the pipeline would hand it to the encoder."""
    small: Plane = np.zeros((48, 64), np.uint8)
    cover = Cover((CORNER,), 0.0, None, "", digest, ViewState.VERIFIED)
    return PrivacyMask("solid").apply(RawFrame(planes, time, small=small), cover)


def picture(index: int, width: int = WIDTH, height: int = HEIGHT) -> Planes:
    """A grey ramp with a bright bar that walks, in one packed buffer."""
    planes = Planes.empty(width, height)
    planes.y[...] = (np.arange(width, dtype=np.uint16)[None, :] * 160 // width + 40).astype(np.uint8)
    at = index * 3 % max(1, width - 8)
    planes.y[:, at : at + 8] = 220
    planes.u[...] = 90 + index % 60
    planes.v[...] = 150
    return planes


def instant(index: int, fps: float = FPS, start_ns: int = 1_000 * NS, wall_ns: int = WALL_NS) -> FrameTime:
    """The time of picture `index` of a steady camera."""
    since_ns = round(index * NS / fps)
    return FrameTime(index, start_ns + since_ns, wall_ns + since_ns)


def encode(encoder: LibavEncoder, frames: Iterator[MaskedFrame] | Sequence[MaskedFrame]) -> list[AccessUnit]:
    """Every access unit of these frames, the encoder flushed."""
    units = [unit for frame in frames for unit in encoder.encode(frame)]
    return units + list(encoder.flush())


@dataclass(frozen=True)
class Film:
    """Access units of a steady camera, and their format."""

    units: tuple[AccessUnit, ...]
    format: VideoFormat

    def at(self, index: int, pts_ns: int, wall_ns: int) -> AccessUnit:
        """Unit `index` (the film repeats) stamped anew; a decoder takes it as long as each GOP comes whole and in order."""
        unit = self.units[index % len(self.units)]
        return replace(unit, pts_ns=pts_ns, dts_ns=pts_ns, wall_ns=wall_ns, index=index)


@lru_cache
def film(seconds: float = 4, fps: int = FPS, keyframe_seconds: float = 1.0, kbps: int | None = None) -> Film:
    """A small film, encoded once per test run: by quality, or at a rate."""
    crf = 30 if kbps is None else None
    encoder = LibavEncoder(WIDTH, HEIGHT, fps, crf=crf, bitrate_kbps=kbps, keyframe_seconds=keyframe_seconds, threads=1)
    units = encode(encoder, (masked(picture(i), instant(i, fps)) for i in range(round(seconds * fps))))
    return Film(tuple(units), encoder.format)
