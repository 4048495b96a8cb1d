"""One encoded picture with everything that belongs to it, as it leaves the encoder: the unit of signing, muxing and streaming."""

from __future__ import annotations

from msgspec import Struct


class AccessUnit(Struct, frozen=True):
    """Annex-B NAL units of one picture, immutable.

    A keyframe is an IDR picture and carries SPS and PPS in band. `pts_ns`/`dts_ns` are media time (monotonic clock of
    this boot); `wall_ns` is the wall time of the same instant as the clock told it then. `mask_digest` names the mask
    geometry that lay on the picture, `opaque` is True when the whole picture was covered, `view` is the view guard's state.
    A unit of duration 0 carries no picture: it closes a signed stream and belongs behind the unit before it
    (agent/signing/media_signing.py, `closed`).
    """

    data: bytes
    keyframe: bool
    pts_ns: int
    dts_ns: int
    duration_ns: int
    wall_ns: int
    index: int
    mask_digest: str = ""
    opaque: bool = False
    view: str = ""


class VideoFormat(Struct, frozen=True):
    """What a decoder and a muxer must know before the first access unit. `extradata` is Annex-B SPS and PPS."""

    codec: str
    width: int
    height: int
    fps: float
    extradata: bytes
