"""What the server is told: where it listens, and what it may use."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class RtspSettings(Struct, frozen=True):
    """Port 0 takes a free one; None: not at all. `chain` and `key` are the node's own certificate, for RTSPS."""

    host: str
    rtsp_port: int | None
    rtsps_port: int | None = None
    chain: Path | None = None
    key: Path | None = None
    udp: bool = False
    max_viewers: int = 8
