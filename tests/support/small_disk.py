"""A disk of a few megabytes, for filling it up. Mounting takes root; elsewhere the test says so, and fails under CI."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(at: Path, *, megabytes: int) -> Iterator[Path]:
    """A tmpfs mounted at `at` for the length of the block."""
    if os.geteuid() != 0:
        if os.environ.get("CI") == "true":
            pytest.fail("only root can mount a small disk: run `sudo make test`")
        pytest.skip("only root can mount a small disk: `sudo make test` runs this one too")
    at.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)
