"""OpenCV's thread pool: off. The pipeline's frames are small, and waking a pool costs more than the work it shares."""

from __future__ import annotations

import cv2


def work_alone() -> None:
    """Every OpenCV call of this process runs on the thread that makes it. Once, before the first picture."""
    cv2.setNumThreads(1)
