"""Masking one frame, as a ratio to copying it (1080p, six irregular polygons on 15 % of the picture)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from agent.mask.fill import TextureFill
from agent.mask.layer import MaskLayer
from agent.mask.privacy_mask import Fill, PrivacyMask
from agent.mask.shape import shapes_of
from agent.mask.surroundings import Surroundings
from agent.picture.analysis_luma import analysis_luma
from agent.picture.cover import Corners, Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes, i420_bytes

BUFFERS = 12
"""As many frames in turn as a camera's pool and the encoder hold."""


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Options: width, height, frames. Prints a table; returns the same figures."""
    width, height = int(str(options.get("width", 1920))), int(str(options.get("height", 1080)))
    frames = int(str(options.get("frames", 240)))
    cv2.setNumThreads(1)
    polygons, share = six_polygons(width, height, 0.15)
    rng = np.random.default_rng(5)
    sources = [rng.integers(0, 256, i420_bytes(width, height), np.uint8) for _ in range(BUFFERS)]
    buffers = [np.empty_like(source) for source in sources]
    raws = [RawFrame(Planes.over(b, width, height), FrameTime(i, i * 40_000_000, i)) for i, b in enumerate(buffers)]
    for raw in raws:
        analysis_luma(raw)

    def still(fill: Fill, grow: float) -> Callable[[int], object]:
        mask, cover = PrivacyMask(fill), _cover(polygons, grow)
        return lambda i: mask.apply(raws[i % BUFFERS], cover)

    shapes = shapes_of(_cover(polygons, 0.0), width, height)
    layer = MaskLayer(shapes, raws[0].planes, analysis_luma(raws[0]), settle=True)
    texture, colours = TextureFill("mosaic"), Surroundings().field

    def swaying(fill: Fill, grow: float) -> Callable[[int], object]:
        mask = PrivacyMask(fill)
        covers = [_cover(tuple(p + 3 / width * np.sin(k / 7) for p in polygons), grow, f"{k}") for k in range(200)]
        return lambda i: mask.apply(raws[i % BUFFERS], covers[i % 200])

    def deliver(i: int) -> None:
        np.copyto(buffers[i % BUFFERS], sources[i % BUFFERS])

    def reduce(i: int) -> None:
        raws[i % BUFFERS].small = None
        analysis_luma(raws[i % BUFFERS])

    works: dict[str, Callable[[int], object]] = {
        "solid, drawn on Y, U and V alone": lambda i: layer.draw(raws[i % BUFFERS].planes),
        "mosaic, drawn on Y, U and V alone": lambda i: texture.paint(
            raws[i % BUFFERS].planes, layer.regions, colours, (0.0, 0.0)
        ),
        "solid, drawn on the analysis luma alone": lambda i: layer.draw_small(analysis_luma(raws[i % BUFFERS])),
        "solid": still("solid", 0.0),
        "solid, grown by 1 % of the width": still("solid", 0.01),
        "solid, another cover every frame": swaying("solid", 0.0),
        "mosaic": still("mosaic", 0.0),
        "mosaic, grown by 1 % of the width": still("mosaic", 0.01),
        "mosaic, another cover every frame": swaying("mosaic", 0.0),
        "blur": still("blur", 0.0),
        "analysis luma": reduce,
    }
    base, costs = _interleaved(deliver, works, frames)
    ratios = {name: cost / base for name, cost in costs.items()}
    table = Table(title=f"{width}x{height}, 6 polygons on {share:.1%}; one copy of the frame = 1 = {base * 1e3:.3f} ms")
    table.add_column("work")
    table.add_column("copies", justify="right")
    table.add_column("ms", justify="right")
    for name, cost in costs.items():
        table.add_row(name, f"{ratios[name]:.2f}", f"{cost * 1e3:.3f}")
    Console().print(table)
    return {"width": width, "height": height, "covered": share, "copy_ms": base * 1e3, "copies": ratios}


def _interleaved(
    deliver: Callable[[int], object], works: Mapping[str, Callable[[int], object]], frames: int
) -> tuple[float, dict[str, float]]:
    """Seconds (lower quartile) of one copy and of each work on the frame that copy has just delivered, in turns of ten.

    As at work: a picture arrives (that is the copy) and is masked at once. Turns and the lower quartile, so that what else the
    machine does weighs on all alike, and little.
    """
    copies: list[float] = []
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(-2, max(1, frames // 10)):  # the first two turns warm up
        for name, work in works.items():
            for i in range(turn * 10, turn * 10 + 10):
                began = time.perf_counter()
                deliver(i)
                delivered = time.perf_counter()
                work(i)
                done = time.perf_counter()
                if turn >= 0:
                    copies.append(delivered - began)
                    taken[name].append(done - delivered)
    return _quartile(copies), {name: _quartile(times) for name, times in taken.items()}


def _quartile(times: list[float]) -> float:
    return float(np.percentile(times, 25))


def _cover(polygons: tuple[Corners, ...], grow: float, digest: str = "still") -> Cover:
    return Cover(polygons, grow, None, "", digest, ViewState.VERIFIED)


def six_polygons(width: int, height: int, share: float) -> tuple[tuple[Corners, ...], float]:
    """Six irregular octagons that cover about `share` of the picture, and the share they do cover."""

    def drawn(size: float) -> tuple[Corners, ...]:
        rng = np.random.default_rng(3)
        made = []
        for k in range(6):
            turn, reach = np.sort(rng.uniform(0, 2 * np.pi, 8)), rng.uniform(0.6, 1.1, 8) * size
            centre = ((k % 3 + 0.5) / 3, (k // 3 + 0.5) / 2)
            made.append(np.stack((centre[0] + reach * np.cos(turn), centre[1] + 1.5 * reach * np.sin(turn)), axis=1))
        return tuple(made)

    def covers(polygons: tuple[Corners, ...]) -> float:
        canvas = np.zeros((height, width), np.uint8)
        for polygon in polygons:
            cv2.fillPoly(canvas, [np.rint(polygon * (width, height)).astype(np.int32)], 1)
        return float(canvas.mean())

    low, high = 0.01, 0.3
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if covers(drawn(middle)) < share else (low, middle)
    return drawn(low), covers(drawn(low))
