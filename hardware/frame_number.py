"""A number that a machine can read back from a frame, also after encoding, scaling and a change of exposure."""

from __future__ import annotations

import binascii
import itertools

import numpy as np

from agent.picture.planes import Plane

LEFT, RIGHT, TOP, BOTTOM = 0.25, 0.75, 0.86, 0.90
"""Where the row of blocks lies, as fractions of the picture: on the ground, clear of a caption at top or bottom."""
_NUMBER_BITS = 24
_CHECK_BITS = 8
_BLOCKS = 2 + _NUMBER_BITS + _CHECK_BITS + 2
"""Black, white, the number (highest bit first), its check, white, black."""
BLACK, WHITE = 16, 235


def write_frame_number(luma: Plane, number: int) -> None:
    """Draw `number` (its lowest 24 bits) into the picture's luma as black and white blocks."""
    rows, edges = _rows(luma), _edges(luma)
    for block, white in enumerate(_pattern(number % (1 << _NUMBER_BITS))):
        luma[rows, edges[block] : edges[block + 1]] = WHITE if white else BLACK


def read_frame_number(luma: Plane) -> int | None:
    """The number in the picture, or None when no row of blocks can be made out (dark, blurred, moved, masked)."""
    rows, edges = _rows(luma), _edges(luma)
    band = luma[rows]
    quarter = band.shape[0] // 4
    band = band[quarter : band.shape[0] - quarter]
    levels = []
    for left, right in itertools.pairwise(edges):
        inset = (right - left) // 4
        block = band[:, left + inset : right - inset]
        if block.size == 0:
            return None
        levels.append(float(block.mean()))
    black, white = (levels[0] + levels[-1]) / 2, (levels[1] + levels[-2]) / 2
    if white - black < 12:
        return None
    read = [level > (black + white) / 2 for level in levels]
    number = int("".join("01"[bit] for bit in read[2 : 2 + _NUMBER_BITS]), 2)
    return number if read == _pattern(number) else None


def _pattern(number: int) -> list[bool]:
    check = binascii.crc_hqx(number.to_bytes(3, "big"), 0xFFFF) & 0xFF
    bits = f"{number:0{_NUMBER_BITS}b}{check:0{_CHECK_BITS}b}"
    return [False, True, *(bit == "1" for bit in bits), True, False]


def _rows(luma: Plane) -> slice:
    height = luma.shape[0]
    return slice(round(TOP * height), round(BOTTOM * height))


def _edges(luma: Plane) -> list[int]:
    return [int(x) for x in np.linspace(LEFT * luma.shape[1], RIGHT * luma.shape[1], _BLOCKS + 1).round()]
