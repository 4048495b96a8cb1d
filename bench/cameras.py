"""Film and drawn square as cameras: processor time per picture beside ffmpeg decoding the same film, and beside one copy.

Options: --pictures 300, --film FILE (default: the 1080p25 film of the other benchmarks). Both readers decode on one thread.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agent.base.clock import SystemClock
from agent.config.model import CameraSettings
from agent.ports.video import Camera
from bench.film import film_1080p25
from bench.process import measure
from hardware.camera_file import FileCamera
from hardware.camera_synthetic import SyntheticCamera

WIDTH, HEIGHT, FPS = 1920, 1080, 25.0


def run(options: Mapping[str, object]) -> dict[str, Any]:
    """Measure; prints a table and returns the figures, in milliseconds of one core per 1080p picture."""
    pictures = int(str(options.get("pictures", 300)))
    film = Path(str(options["film"])) if "film" in options else film_1080p25()
    settings: dict[str, Any] = {"width": WIDTH, "height": HEIGHT, "fps": FPS, "realtime": False, "loop": True}
    ours_ms = _read(FileCamera(CameraSettings(driver="file", source=str(film), **settings), SystemClock()), pictures)
    theirs_ms = _ffmpeg(film, pictures)
    drawn_ms = _read(SyntheticCamera(CameraSettings(driver="synthetic", **settings), SystemClock()), pictures)
    copy_ms = _copy(pictures)
    result = {
        "film_ms": round(ours_ms, 3),
        "ffmpeg_decode_ms": round(theirs_ms, 3),
        "film_to_ffmpeg": round(ours_ms / theirs_ms, 3),
        "drawn_square_ms": round(drawn_ms, 3),
        "one_copy_ms": round(copy_ms, 3),
        "drawn_square_to_copy": round(drawn_ms / copy_ms, 2),
    }
    for name, value in result.items():
        print(f"{name:<22} {value}")
    return result


def _read(camera: Camera, pictures: int) -> float:
    camera.open()
    began = time.process_time()
    read = 0
    while read < pictures:
        frame = camera.read(1.0)
        if frame is not None:
            frame.release()
            read += 1
    spent = time.process_time() - began
    camera.close()
    return 1000 * spent / pictures


def _ffmpeg(film: Path, pictures: int) -> float:
    """The ffmpeg program reads the film into nothing; what it costs to start, measured with one picture, is taken off."""
    reading = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-stream_loop", "-1", "-i", str(film), "-frames:v"]
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        log = Path(name) / "log"
        one, many = (measure([*reading, str(n), "-f", "null", "-"], log) for n in (1, pictures + 1))
        if one.code or many.code:
            raise SystemExit(f"ffmpeg refuses the film: {log.read_text()[-500:]}")
    return 1000 * (many.cpu_s - one.cpu_s) / pictures


def _copy(times: int) -> float:
    source = np.zeros(WIDTH * HEIGHT * 3 // 2, np.uint8)
    target = np.empty_like(source)
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        np.copyto(target, source)
        spent.append(time.perf_counter() - began)
    return 1000 * statistics.median(spent)
