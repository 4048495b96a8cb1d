"""What starting needed is given back, and everything goes on working."""

from __future__ import annotations

import json
import subprocess
import sys

LOOK = """
import json, re
from pathlib import Path

import cv2
import numpy as np

from agent.wiring import build
from hardware.memory import allocate_sparingly, give_back


def resident(kind):
    return 1024 * int(re.search(rf"^{kind}:\\s+(\\d+) kB", Path("/proc/self/status").read_text(), re.M)[1])


def work():
    picture = (np.arange(640 * 480, dtype=np.uint32) % 251).astype(np.uint8).reshape(480, 640)
    return int(cv2.GaussianBlur(picture, (5, 5), 0).sum()) + int(np.linalg.det(np.eye(3) * 7))


allocate_sparingly()
before, answer = resident("RssFile"), work()
give_back()
after = resident("RssFile")
print(json.dumps({"before": before, "after": after, "same": work() == answer}))
"""


def test_program_pages_go_back_and_code_runs_on() -> None:
    """At least a third of the resident program files is unmapped, and the same work gives the same answer afterwards."""
    told = json.loads(subprocess.run([sys.executable, "-c", LOOK], check=True, capture_output=True, text=True).stdout)
    assert told["after"] < told["before"] * 2 / 3
    assert told["same"]
