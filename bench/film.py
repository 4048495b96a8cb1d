"""The film benchmarks run on: 1080p25 with real movement, made once from the footage at hand."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

SECONDS = 20
"""Long enough to hold the whole scene, short enough to make; benchmarks loop it."""


def footage() -> Path | None:
    """The real film: VIGIE_FOOTAGE, or ../shared/footage beside the checkout; None where there is none."""
    named = os.environ.get("VIGIE_FOOTAGE")
    folders = [Path(named)] if named else []
    folders.append(Path(__file__).resolve().parents[2] / "shared" / "footage")
    for folder in folders:
        film = folder / "town-square.avi" if folder.is_dir() else folder
        if film.is_file():
            return film
    return None


def film_1080p25(directory: Path | None = None) -> Path:
    """A 1080p25 MPEG-4 film of `SECONDS`, from the real footage, else from ffmpeg's moving test card. Kept for the next run."""
    source = footage()
    folder = directory or Path(tempfile.gettempdir())
    film = folder / f"vigie-bench-1080p25-mpeg4-{'square' if source else 'card'}-{SECONDS}s.mp4"
    if film.is_file():
        return film
    given = ["-stream_loop", "-1", "-i", str(source)] if source else ["-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25"]
    half_made = film.with_suffix(".part.mp4")
    # A sensor's noise is put back: an upscaled film without any would flatter every encoder.
    filters = "scale=1920:1080:flags=bicubic,fps=25,noise=alls=4:allf=t,format=yuv420p"
    command = ["ffmpeg", "-v", "error", "-y", *given, "-t", str(SECONDS), "-vf", filters, "-an"]
    # MPEG-4 without B-frames: cheap to read for both, so that what is compared is the work of a node and not of a player.
    subprocess.run([*command, "-c:v", "mpeg4", "-q:v", "3", "-bf", "0", "-g", "50", str(half_made)], check=True)
    half_made.rename(film)
    return film
