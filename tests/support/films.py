"""Small films made by the ffmpeg program, and what that program itself decodes from them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.parts import program


def run_ffmpeg(*args: str) -> bytes:
    """Standard output of the ffmpeg program; the test fails with its words when it refuses."""
    done = subprocess.run(
        [program("ffmpeg", "ffmpeg"), "-v", "error", "-nostdin", "-y", *args], capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def make_film(path: Path, *more: str, size: str = "128x96", pictures: int = 20, rate: str = "10") -> Path:
    """A film with a moving test picture; `more` are ffmpeg's output options. Returns `path`."""
    run_ffmpeg("-f", "lavfi", "-i", f"testsrc=size={size}:rate={rate}", "-frames:v", str(pictures), *more, str(path))
    return path


def i420_of(path: Path, *more: str) -> bytes:
    """Every picture of the film as packed I420, converted by the ffmpeg program; `more` are its output options."""
    return run_ffmpeg("-i", str(path), "-fps_mode", "passthrough", *more, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-")
