"""Mosaic and blur: textures in the colours of the surroundings, laid over what is covered.

They look like what people know, and hold nothing of what they cover: every tile's colour comes from outside of the masks
(`agent.mask.surroundings`) and from a dither drawn once per session from the system's secret randomness. The grid of tiles is
anchored to the scene, so that it does not crawl over a swaying view.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.base.errors import MaskError
from agent.base.phrase import say
from agent.mask.surroundings import Field
from agent.picture.planes import Plane, Planes

Texture = Literal["mosaic", "blur"]

TILES_ACROSS = 48
DITHER = (9.0, 4.0, 4.0)
"""Largest distance of a tile's Y, U, V from its surroundings."""
_DITHER_SIDE = 256
"""Tiles after which the dither repeats: more than a frame has."""
_ROOM_PX = 64
"""Luma samples by which the scene may shift before the texture is made anew."""


class Region(Struct, frozen=True, eq=False):
    """A rectangle of the frame with covered samples. `left` and `top` are even luma samples; bitmaps are 255 where covered."""

    left: int
    top: int
    luma: Plane
    chroma: Plane


class TextureFill:
    """Paints regions. One thread calls it. The dither never leaves the process and is gone with it."""

    def __init__(self, texture: Texture) -> None:
        self._interpolation = cv2.INTER_NEAREST if texture == "mosaic" else cv2.INTER_LINEAR
        secret = np.frombuffer(os.urandom(3 * _DITHER_SIDE**2), np.uint8).reshape(_DITHER_SIDE, _DITHER_SIDE, 3)
        self._dither = (secret.astype(np.float32) / 127.5 - 1.0) * np.array(DITHER, np.float32)
        self._field: Field | None = None
        self._texture = Planes.empty(2, 2)
        self._cut: list[tuple[Region, Planes]] = []
        self._cut_for: tuple[object, ...] = ()
        self._size = (0, 0)
        self._base = (0, 0)
        self._origin = (0, 0)

    def paint(self, planes: Planes, regions: Sequence[Region], field: Field, anchor: tuple[float, float]) -> None:
        """Lay the texture over every covered sample of Y, U and V.

        `anchor` is a point of the scene, in luma samples of this frame; the grid of tiles hangs on it.
        MaskError when a plane did not take the paint.
        """
        at = round(anchor[0] / 2) * 2, round(anchor[1] / 2) * 2
        size = planes.width, planes.height
        strayed = max(abs(at[0] - self._base[0]), abs(at[1] - self._base[1])) > _ROOM_PX
        if field is not self._field or size != self._size or strayed:
            self._make(field, size, at)
            self._cut_for = ()
        if self._cut_for != (at, *map(id, regions)):  # the ids are of regions kept in `_cut`: nobody else can have them
            self._cut = [(region, self._cut_out(region, at)) for region in regions]
            self._cut_for = (at, *map(id, regions))
        for region, texture in self._cut:
            for plane, paint, bitmap, span in (
                (planes.y, texture.y, region.luma, 1),
                (planes.u, texture.u, region.chroma, 2),
                (planes.v, texture.v, region.chroma, 2),
            ):
                rows, columns = bitmap.shape
                room = plane[region.top // span : region.top // span + rows, region.left // span : region.left // span + columns]
                if cv2.copyTo(paint, bitmap, room) is not room:
                    raise MaskError(say("a plane of the picture cannot be painted in place"))

    def _cut_out(self, region: Region, at: tuple[int, int]) -> Planes:
        """The texture behind one region, packed: strided sources cost half as much again."""
        left, top = region.left - at[0] - self._origin[0], region.top - at[1] - self._origin[1]
        rows, columns = region.luma.shape
        half_rows, half_columns = region.chroma.shape
        halves = slice(top // 2, top // 2 + half_rows), slice(left // 2, left // 2 + half_columns)
        return Planes(
            np.ascontiguousarray(self._texture.y[top : top + rows, left : left + columns]),
            np.ascontiguousarray(self._texture.u[halves]),
            np.ascontiguousarray(self._texture.v[halves]),
        )

    def _make(self, field: Field, size: tuple[int, int], at: tuple[int, int]) -> None:
        """The texture of a whole frame and some room around it, in samples counted from the anchor."""
        tile = max(8, size[0] // TILES_ACROSS // 2 * 2)
        first_x, first_y = (-(at[0] + _ROOM_PX)) // tile, (-(at[1] + _ROOM_PX)) // tile
        columns = first_x + np.arange((size[0] + 2 * _ROOM_PX) // tile + 3)
        rows = first_y + np.arange((size[1] + 2 * _ROOM_PX) // tile + 3)
        x = _cells_under(columns, at[0], tile, size[0], field.shape[1])
        y = _cells_under(rows, at[1], tile, size[1], field.shape[0])
        mixed = field[np.ix_(y, x)] + self._dither[np.ix_(rows % _DITHER_SIDE, columns % _DITHER_SIDE)]
        tiles = np.clip(np.rint(mixed), (16, 16, 16), (235, 240, 240)).astype(np.uint8)

        def spread(channel: int, samples: int) -> Plane:
            made = np.empty((len(rows) * samples, len(columns) * samples), np.uint8)
            coarse = np.ascontiguousarray(tiles[..., channel])
            cv2.resize(coarse, (made.shape[1], made.shape[0]), dst=made, interpolation=self._interpolation)
            return made

        self._texture = Planes(spread(0, tile), spread(1, tile // 2), spread(2, tile // 2))
        self._field, self._size, self._base = field, size, at
        self._origin = first_x * tile, first_y * tile


def _cells_under(tiles: NDArray[np.intp], anchor: int, tile: int, samples: int, cells: int) -> NDArray[np.intp]:
    """The cells of the field under the middles of the tiles, along one side of the frame."""
    middles = (tiles + 0.5) * tile + anchor
    return np.clip(middles * cells / samples, 0, cells - 1).astype(np.intp)
