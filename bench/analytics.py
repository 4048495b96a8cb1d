"""Looking at a masked frame: motion and tampering, as a ratio to encoding it (1080p25, people crossing)."""

from __future__ import annotations

import time
from collections.abc import Mapping

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from agent.analytics.motion import MotionDetector
from agent.analytics.tampering import TamperDetector
from agent.config.model import Motion, Tampering
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.analysis_luma import analysis_luma
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from bench.weather_and_light import false_alarms_an_hour, walkers_seen
from hardware.encoder_libav import LibavEncoder

WIDTH, HEIGHT, FPS = 1920, 1080, 25
POLYGON = np.array(((0.1, 0.1), (0.4, 0.15), (0.38, 0.4), (0.12, 0.35)))


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: frames (250), minutes (10) of weather and light, seed. Prints a table; returns the same figures."""
    frames = int(str(options.get("frames", 250)))
    cv2.setNumThreads(1)
    mask, cover = PrivacyMask(), Cover((POLYGON,), 0.01, None, "", "one", ViewState.VERIFIED)
    encoder = LibavEncoder(WIDTH, HEIGHT, float(FPS), threads=1)
    motion, tamper = MotionDetector("camera", Motion()), TamperDetector("camera", Tampering())
    taken: dict[str, list[float]] = {"encode": [], "motion": [], "tampering": []}
    planes = Planes.empty(WIDTH, HEIGHT)
    wall = _wall()
    for index in range(frames):
        _draw(planes, wall, index)
        raw = RawFrame(planes, FrameTime(index, 10**9 + index * 10**9 // FPS, 10**18 + index * 10**9 // FPS))
        analysis_luma(raw)
        frame = mask.apply(raw, cover)
        for name, look in (("encode", encoder.encode), ("motion", motion.observe), ("tampering", tamper.observe)):
            taken[name].append(_cpu_s(look, frame))
    encoder.flush()
    # The first second is warm-up; means, since what is not looked at costs nothing and must count.
    cost = {name: float(np.mean(times[FPS:])) for name, times in taken.items()}
    worst = {name: float(np.percentile(times[FPS:], 99)) for name, times in taken.items()}
    table = Table(title=f"{WIDTH}x{HEIGHT} at {FPS}/s, CPU per frame, {frames} frames")
    for column in ("work", "mean ms", "p99 ms", "of encoding"):
        table.add_column(column, justify="left" if column == "work" else "right")
    for name, mean in cost.items():
        table.add_row(name, f"{mean * 1e3:.3f}", f"{worst[name] * 1e3:.3f}", f"{mean / cost['encode']:.1%}")
    Console().print(table)
    minutes, seed = float(str(options.get("minutes", 10))), int(str(options.get("seed", 1)))
    told = {
        "false_alarms_an_hour": false_alarms_an_hour(minutes, seed),
        "walkers_seen_by_day": walkers_seen(20, seed, night=False),
        "walkers_seen_by_night": walkers_seen(20, seed, night=True),
    }
    for key, value in told.items():
        Console().print(f"{key.replace('_', ' ')}: {value:g}")
    return told | {
        name: {"mean_ms": cost[name] * 1e3, "p99_ms": worst[name] * 1e3, "of_encoding": cost[name] / cost["encode"]}
        for name in cost
    }


def _cpu_s(look: object, frame: MaskedFrame) -> float:
    assert callable(look)
    began = time.process_time_ns()
    look(frame)
    return (time.process_time_ns() - began) / 1e9


def _wall() -> Plane:
    rng = np.random.default_rng(4)
    bricks = rng.integers(60, 180, (HEIGHT // 24, WIDTH // 40), np.uint8)
    wall = np.kron(bricks, np.ones((24, 40), np.uint8))[:HEIGHT, :WIDTH]
    return np.asarray(cv2.GaussianBlur(wall, (0, 0), 1.2), np.uint8)


def _draw(planes: Planes, wall: Plane, index: int) -> None:
    """The wall with three walkers and some noise."""
    np.copyto(planes.y, wall)
    planes.u[...], planes.v[...] = 120, 134
    for walker in range(3):
        x = (300 * walker + index * (3 + walker)) % (WIDTH - 100)
        planes.y[500 + 60 * walker : 700 + 60 * walker, x : x + 70] = 30 + 20 * walker
    noise = np.random.default_rng(index % 5).integers(0, 5, (HEIGHT, WIDTH), np.uint8)
    np.add(planes.y, noise, out=planes.y)
