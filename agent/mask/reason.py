"""Words on a closed frame: why nothing is shown."""

from __future__ import annotations

import functools
import textwrap

import numpy as np

from agent.mask.colour import SOLID_YUV
from agent.picture.letters import WHITE, Letters, plain
from agent.picture.planes import Plane

SMALL, SMALLEST = 12, 10
"""Rows of a letter's cell on a small frame, and where the words would not fit otherwise."""


def write_reason(luma: Plane, reason: str) -> None:
    """Write `reason` in the middle of a luma plane filled with the solid colour; smaller letters for small frames."""
    height, width = luma.shape
    top, words = _drawn(reason, width, height)
    rows = luma[top : top + words.shape[0]]
    np.maximum(rows, words, out=rows)


@functools.lru_cache(maxsize=1)
def _drawn(reason: str, width: int, height: int) -> tuple[int, Plane]:
    """The row the words begin at, and the words: 0 where nothing is written, else brighter than the solid colour.

    Kept, since a frame that stays closed says the same with every frame.
    """
    text = plain(reason)
    for cell_height in range(max(SMALL, round(width * 0.03)), SMALLEST - 1, -1):
        cell_width, step = round(cell_height * 0.62), round(cell_height * 1.25)
        lines = textwrap.wrap(text, max(1, int(width * 0.92 / cell_width))) or ["closed"]
        if len(lines) * step <= height:
            break
    lines = lines[: max(1, height // step)]
    words = np.full((min(height, len(lines) * step), width), SOLID_YUV[0], np.uint8)
    letters = Letters(cell_width, cell_height, SOLID_YUV[0], WHITE)
    for number, line in enumerate(lines):
        letters.write(words, line, (width - len(line) * cell_width) // 2, number * step)
    words[words == SOLID_YUV[0]] = 0
    return (height - words.shape[0]) // 2, words
