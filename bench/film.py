"""The film benchmarks run on: 1080p25 with real movement, made once from the footage at hand."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from agent.base.clock import SystemClock
from agent.config.model import CameraSettings
from agent.config.polygon import Polygon
from agent.demo.scene import TOWN_SQUARE
from agent.node.drivers import drawn_windows, open_camera
from agent.ports.video import Camera

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


def masks() -> Mapping[str, Polygon]:
    """The private windows of what `film_1080p25` shows."""
    return TOWN_SQUARE if footage() is not None else drawn_windows()


def film_1080p25(directory: Path | None = None) -> Path:
    """A 1080p25 MPEG-4 film of `SECONDS`, from the real footage, else of the drawn square. Kept for the next run."""
    source = footage()
    folder = directory or cache()
    film = folder / f"vigie-bench-1080p25-mpeg4-{'filmed' if source else 'drawn'}-{SECONDS}s-square.mp4"
    if film.is_file():
        return film
    given = ["-stream_loop", "-1", "-i", str(source)] if source else ["-i", str(_drawn(folder))]
    half_made = film.with_suffix(f".{os.getpid()}.part.mp4")
    # A sensor's noise is put back: an upscaled film without any would flatter every encoder.
    filters = "scale=1920:1080:flags=bicubic,setsar=1,fps=25,noise=alls=4:allf=t,format=yuv420p"
    command = ["ffmpeg", "-v", "error", "-y", *given, "-t", str(SECONDS), "-vf", filters, "-an"]
    # MPEG-4 without B-frames: cheap to read for both, so that what is compared is the work of a node and not of a player.
    subprocess.run([*command, "-c:v", "mpeg4", "-q:v", "3", "-bf", "0", "-g", "50", str(half_made)], check=True)
    half_made.rename(film)
    return film


def cache() -> Path:
    """A directory of this user's own: a name that others know, in a directory all may write to, is theirs to choose."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vigie-bench"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _drawn(folder: Path) -> Path:
    """The drawn square as film without loss, for who has no footage."""
    film = folder / f"vigie-bench-drawn-{SECONDS}s.mkv"
    if film.is_file():
        return film
    camera = drawn_camera(1280, 720, 25)
    half_made = film.with_suffix(f".{os.getpid()}.part.mkv")
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "1280x720", "-r", "25", "-i", "-"]
    with subprocess.Popen([*command, "-c:v", "ffv1", str(half_made)], stdin=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        camera.open()
        for _ in range(25 * SECONDS):
            frame = camera.read(10.0)
            assert frame is not None
            for plane in (frame.planes.y, frame.planes.u, frame.planes.v):
                writer.stdin.write(plane.tobytes())
            frame.release()
        camera.close()
    if writer.returncode != 0:
        raise SystemExit(f"ffmpeg could not write {half_made}")
    half_made.rename(film)
    return film


def drawn_camera(width: int, height: int, fps: int) -> Camera:
    """The drawn square, as fast as it is read."""
    settings = CameraSettings(driver="synthetic", width=width, height=height, fps=fps, realtime=False)
    return open_camera(settings, SystemClock())
