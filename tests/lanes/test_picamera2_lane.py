"""The picamera2 driver and encoder on real libcamera and picamera2, in a system of their own.

The tests themselves are tests/lanes/picamera2/inside/check_*.py. VIGIE_ENDURANCE_S sets how long the endurance test runs
(12 s here; 600 before a release).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.lanes.picamera2 import rootfs

pytestmark = pytest.mark.lane("picamera2")

INSIDE = Path(__file__).parent / "picamera2" / "inside"
ENDURANCE_S = os.environ.get("VIGIE_ENDURANCE_S", "12")


@pytest.fixture(scope="module")
def root() -> Path:
    """The system, made or found."""
    return rootfs.prepared()


@pytest.mark.parametrize("check", sorted(path.name for path in INSIDE.glob("check_*.py")))
def test_inside(root: Path, check: str) -> None:
    """Each module of checks passes inside; its own names say what holds."""
    options = "-q -p no:cacheprovider -W ignore::DeprecationWarning -c /dev/null --rootdir /src --import-mode=importlib"
    # The fakes come first: picamera2 cannot even be imported without one of them.
    done = rootfs.run(
        root,
        *("-m", "pytest", *options.split(), "-p", "tests.lanes.picamera2.inside.fakes"),
        f"/src/tests/lanes/picamera2/inside/{check}",
        timeout_s=300 + 2 * float(ENDURANCE_S),
        VIGIE_ENDURANCE_S=ENDURANCE_S,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
