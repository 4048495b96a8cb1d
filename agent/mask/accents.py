"""French text in OpenCV's letters, which know no accents: each is drawn over the plain letter it belongs to."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.picture.letters import plain

FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_SIZE: Final = 0.45
"""Of the letters, for a stroke of one sample."""
_SMALL, _TALL, _OVER = 6.3, 9.5, 1.5
"""How high small and tall letters stand above the line, and a mark above them; for a stroke of one sample."""
_ROOM: Final = 4
_CEDILLA: Final = "\u0327"
_Stroke = tuple[tuple[float, float], ...]
_MARKS: Final[dict[str, tuple[_Stroke, ...]]] = {
    "\u0300": (((-1.5, 2), (1, 0)),),
    "\u0301": (((-1, 0), (1.5, 2)),),
    "\u0302": (((-2, 0), (0, 2), (2, 0)),),
    "\u0303": (((-2, 0), (-1, 1), (1, 0), (2, 1)),),
    "\u0308": (((-1.5, 0.5), (-1.5, 1)), ((1.5, 0.5), (1.5, 1))),
    _CEDILLA: (((0, 0), (1, -1.5), (-0.5, -2.5)),),
}
"""By combining character: strokes from the middle of the letter, upwards from its top; the cedilla from the line."""


def size_of(text: str, stroke: int) -> tuple[int, int, int]:
    """Width, height above the line with room for accents, and depth below it, in samples."""
    (long, up), below = cv2.getTextSize(_letters(text), FONT, _SIZE * stroke, stroke)
    room = _ROOM * stroke if any(letter.isupper() and mark for letter, mark in _marked(text)) else 0
    return int(long), int(up) + room, int(below)


def write(picture: NDArray[np.uint8], text: str, at: tuple[int, int], colour: tuple[int, int, int], stroke: int) -> None:
    """The text with its accents, from `at` (x, y) on, y being the line it stands on. Drawn into `picture`, BGR."""
    x, line = at
    letters = _letters(text)
    cv2.putText(picture, letters, at, FONT, _SIZE * stroke, colour, stroke, cv2.LINE_AA)
    for place, (letter, mark) in enumerate(_marked(text)):
        for each in _MARKS.get(mark, ()):
            left, right = (cv2.getTextSize(letters[:n], FONT, _SIZE * stroke, stroke)[0][0] for n in (place, place + 1))
            top = 0 if mark == _CEDILLA else _OVER + (_TALL if letter.isupper() else _SMALL)
            points = [(x + (left + right) / 2 + stroke * dx, line - stroke * (top + dy)) for dx, dy in each]
            cv2.polylines(picture, [np.rint(points).astype(np.int32)], False, colour, stroke, cv2.LINE_AA)


def _marked(text: str) -> Iterator[tuple[str, str]]:
    """Each letter as it is drawn, with the accent that belongs over it, or none."""
    for character in text:
        shown = _letters(character)
        marks = [c for c in unicodedata.normalize("NFD", character) if unicodedata.combining(c)]
        for n, letter in enumerate(shown):
            yield letter, marks[0] if marks and n == 0 else ""


def _letters(text: str) -> str:
    return plain(text.replace("’", "'").replace("œ", "oe").replace("Œ", "OE").replace("\u00a0", " "))
