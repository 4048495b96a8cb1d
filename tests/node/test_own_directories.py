"""A node writes under its own directories and nowhere else, also as root: the rest of the machine may be read-only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.signals import small_node
from tests.support import parts

REPOSITORY = Path(__file__).parents[2]

pytestmark = pytest.mark.lane("root")

READ_ONLY = """
mount --bind "$1" "$1"
mount -o remount,bind,ro /
for place in /dev/shm /run /tmp /var /home /root; do
    mountpoint -q $place && mount -o remount,bind,ro $place
done
if touch /etc/vigie-was-here /root/vigie-was-here 2>/dev/null; then echo "the machine can still be written"; exit 9; fi
shift
exec "$@"
"""


def test_the_rest_of_the_machine_may_be_read_only(tmp_path: Path) -> None:
    """Run as root with everything but its own directory read-only: it films, records and ends in order, without a complaint."""
    parts.root()
    config = small_node(tmp_path)
    run = [sys.executable, "-B", "-m", "agent", "run", "--config", str(config), "--for", "4"]
    alone = ["unshare", "--mount", "--propagation", "private", "sh", "-c", READ_ONLY, "sh", str(tmp_path), *run]
    done = subprocess.run(alone, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "read-only" not in done.stderr.lower()
    assert list((tmp_path / "state" / "recordings").rglob("*.mp4"))
