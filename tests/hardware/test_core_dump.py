"""A process that may hold clear pixels leaves none of its memory behind."""

from __future__ import annotations

import subprocess
import sys

_OPENS_A_CAMERA = """
import ctypes, os, resource, sys
from agent.base.clock import SystemClock
from agent.config.model import CameraSettings
from agent.node.drivers import open_camera
open_camera(CameraSettings(driver="synthetic", width=640, height=480, fps=10), SystemClock())
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE))
sys.stdout.flush()
os.abort()
"""


def test_a_process_that_opens_a_camera_cannot_be_dumped() -> None:
    """The kernel says so itself, and an abort (signal 6) is reported without a core."""
    done = subprocess.run([sys.executable, "-c", _OPENS_A_CAMERA], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.strip() == "0 (0, 0)", done.stderr
    assert done.returncode == -6
