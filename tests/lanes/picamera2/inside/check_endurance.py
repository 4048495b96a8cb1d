"""Masking and encoding for a while, with the camera opened anew now and then: nothing grows."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from agent.mask.privacy_mask import PrivacyMask
from hardware.encoder_picamera2 import PicameraEncoder
from tests.lanes.picamera2.inside.scene import camera, cover, descriptors, next_frame

SECONDS = float(os.environ.get("VIGIE_ENDURANCE_S", "12"))
ROUND_S = max(2.0, min(60.0, SECONDS / 8))
GROWTH_BYTES = 16_000_000
"""What allocators may keep for themselves. A leak of one picture a second is 20 MB in a minute."""


def resident_bytes() -> int:
    """Memory of this process that is in RAM."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_descriptors_and_threads_stay() -> None:
    """Round after round of capture, mask, encode, close, open: figures after the last equal those after the second."""
    source, mask = camera(640, 360), PrivacyMask("solid")
    rounds: list[tuple[int, int, int]] = []
    pictures = 0
    until = time.monotonic() + SECONDS
    while time.monotonic() < until or len(rounds) < 4:
        source.open()
        encoder = PicameraEncoder(source.loans, 30.0, hardware=False, bitrate_kbps=1000)
        end = time.monotonic() + ROUND_S
        while time.monotonic() < end:
            frame = next_frame(source)
            encoder.encode(mask.apply(frame, cover()))
            frame.release()
            pictures += 1
        encoder.flush()
        source.close()
        rounds.append((descriptors(), resident_bytes(), threading.active_count()))
    print(f"{pictures} pictures in {len(rounds)} rounds; (descriptors, bytes, threads): {rounds}")
    assert pictures > SECONDS * 5
    assert rounds[-1][1] - rounds[1][1] < GROWTH_BYTES, rounds
    assert rounds[-1][0] <= rounds[1][0], rounds
    assert rounds[-1][2] <= rounds[1][2], rounds
