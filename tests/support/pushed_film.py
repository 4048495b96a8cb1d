"""A film of a street at rest, then pushed about, under an overlay that stays: what a technician's camera sees."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from agent.picture.planes import Plane
from tests.support.overlays import Overlay
from tests.support.scenery import HEIGHT, WIDTH, seen, street

FPS = 5


def at(overlay: Overlay, second: float, rest_s: float, push_s: float, scene: int = 2, pixels: float = 14) -> Plane:
    """The luma at this second: still, from `rest_s` on pushed for `push_s`, then still again where it was."""
    into = (second - rest_s) / push_s if push_s else -1.0
    swing = pixels * float(np.sin(np.pi * into)) if 0 < into < 1 else 0.0
    dx, dy = swing * np.sin(1.9 * second), 0.6 * swing * np.cos(1.3 * second)
    return overlay.over(seen(street(scene), dx, dy, 0.02 * swing, seed=round(second * 100)), int(second))


def write(path: Path, overlay: Overlay, rest_s: float, push_s: float, total_s: float, *, pixels: float = 14) -> Path:
    """The whole film, losslessly coded; grey."""
    grey = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("ffv1", rate=Fraction(FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for n in range(round(total_s * FPS)):
            luma = at(overlay, n / FPS, rest_s, push_s, pixels=pixels)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.concatenate([luma, grey]), format="yuv420p")))
        film.mux(stream.encode(None))
    return path
