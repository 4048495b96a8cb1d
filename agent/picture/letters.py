"""The letters: strokes of the printable ASCII characters, drawn as lines.

OpenCV's own text unpacks its fonts at the first word, a Chinese one among them, and keeps them in memory for good.
"""

from __future__ import annotations

import cv2
import numpy as np

from agent.picture.planes import Plane

WHITE = 235
"""The luma of a letter."""
_COLUMNS, _ROWS, _LOWEST = 8, 12, 14
"""Steps of the grid a capital spans across and down, and the row where tails end. Small letters begin at row 4."""
_STROKES = {
    " ": "",
    "!": "40 48, 3b 4b 4c 3c 3b",
    '"': "20 23, 60 63",
    "#": "20 2c, 60 6c, 04 84, 08 88",
    "$": "83 62 22 03 05 26 66 87 89 6a 2a 09, 40 4c",
    "%": "80 0c, 10 20 31 33 24 14 03 01 10, 68 78 89 8b 7c 6c 5b 59 68",
    "&": "8c 13 11 20 40 51 53 08 0a 1c 3c 5b 87",
    "'": "40 43",
    "(": "60 43 49 6c",
    ")": "20 43 49 2c",
    "*": "42 4a, 14 78, 74 18",
    "+": "42 4a, 06 86",
    ",": "4a 4b 2e",
    "-": "16 76",
    ".": "3b 4b 4c 3c 3b",
    "/": "80 0c",
    "0": "30 50 71 84 88 7b 5c 3c 1b 08 04 11 30, 54 38",
    "1": "13 40 4c, 1c 7c",
    "2": "03 11 30 50 71 83 84 76 0c 8c",
    "3": "00 80 45 65 87 8a 7b 5c 2c 0b",
    "4": "6c 60 08 88",
    "5": "80 10 06 24 54 75 87 89 7b 5c 3c 1b 0a",
    "6": "60 32 06 09 1b 3c 5c 7b 89 88 76 55 35 16 07",
    "7": "00 80 3c",
    "8": "30 50 71 82 83 75 56 36 15 03 02 11 30, 36 17 09 0a 1b 3c 5c 7b 8a 89 77 56",
    "9": "2c 5a 86 83 71 50 30 11 03 04 16 37 57 76 85",
    ":": "33 43 44 34 33, 39 49 4a 3a 39",
    ";": "33 43 44 34 33, 4a 4b 2e",
    "<": "72 16 7a",
    "=": "04 84, 08 88",
    ">": "12 76 1a",
    "?": "02 11 30 50 71 82 84 75 46 48, 3b 4b 4c 3c 3b",
    "@": "7c 3c 1b 09 03 11 30 50 71 83 88 68 64 44 25 27 48 68",
    "A": "0c 40 8c, 19 79",
    "B": "06 00 50 71 82 84 75 56 06 0c 5c 7b 8a 88 77 56",
    "C": "82 71 50 30 11 03 09 1b 3c 5c 7b 8a",
    "D": "00 40 61 83 89 6b 4c 0c 00",
    "E": "80 00 0c 8c, 06 66",
    "F": "80 00 0c, 06 66",
    "G": "82 71 50 30 11 03 09 1b 3c 5c 7b 89 87 57",
    "H": "00 0c, 80 8c, 06 86",
    "I": "10 70, 40 4c, 1c 7c",
    "J": "30 80 89 7b 5c 3c 1b 0a",
    "K": "00 0c, 80 06 8c",
    "L": "00 0c 8c",
    "M": "0c 00 46 80 8c",
    "N": "0c 00 8c 80",
    "O": "20 60 82 8a 6c 2c 0a 02 20",
    "P": "0c 00 50 71 82 85 76 57 07",
    "Q": "20 60 82 8a 6c 2c 0a 02 20, 58 8e",
    "R": "0c 00 50 71 82 84 75 56 06, 46 8c",
    "S": "82 71 50 30 11 02 04 15 36 56 77 88 8a 7b 5c 3c 1b 0a",
    "T": "00 80, 40 4c",
    "U": "00 09 1b 3c 5c 7b 89 80",
    "V": "00 4c 80",
    "W": "00 2c 45 6c 80",
    "X": "00 8c, 80 0c",
    "Y": "00 46 80, 46 4c",
    "Z": "00 80 0c 8c",
    "[": "60 20 2c 6c",
    "\\": "00 8c",
    "]": "20 60 6c 2c",
    "^": "14 40 74",
    "_": "0e 8e",
    "`": "20 43",
    "a": "14 34 54 75 86 8c, 88 28 09 0b 2c 5c 8a",
    "b": "00 0c, 07 15 34 54 75 87 89 7b 5c 3c 1b 09",
    "c": "85 64 34 15 07 09 1b 3c 6c 8b",
    "d": "80 8c, 87 75 54 34 15 07 09 1b 3c 5c 7b 89",
    "e": "08 88 87 75 54 34 15 07 09 1b 3c 6c 8b",
    "f": "80 60 42 4c, 14 74",
    "g": "84 8c 6e 1e, 86 75 54 34 15 06 08 19 3a 5a 79 88",
    "h": "00 0c, 07 15 34 54 75 87 8c",
    "i": "14 44 4c, 1c 7c, 40 41",
    "j": "24 64 6c 4e 1e, 60 61",
    "k": "00 0c, 84 09, 37 8c",
    "l": "10 40 4a 6c 8c",
    "m": "0c 04, 06 14 34 46 4c, 46 54 74 86 8c",
    "n": "04 0c, 07 15 34 54 75 87 8c",
    "o": "34 54 75 87 89 7b 5c 3c 1b 09 07 15 34",
    "p": "04 0e, 07 15 34 54 75 87 89 7b 5c 3c 1b 09",
    "q": "84 8e, 87 75 54 34 15 07 09 1b 3c 5c 7b 89",
    "r": "24 2c, 27 45 64 84",
    "s": "85 64 24 05 06 28 68 8a 8b 6c 2c 0b",
    "t": "40 4a 6c 8c, 14 84",
    "u": "04 09 1b 3c 5c 7b 89, 84 8c",
    "v": "04 4c 84",
    "w": "04 2c 47 6c 84",
    "x": "04 8c, 84 0c",
    "y": "04 4b, 84 2e 0e",
    "z": "04 84 0c 8c",
    "{": "70 50 41 45 16 47 4b 5c 7c",
    "|": "40 4e",
    "}": "10 30 41 45 76 47 4b 3c 1c",
    "~": "07 25 35 57 67 85",
}
"""Lines of every letter, as points of a column and a row in hexadecimal."""
_BOX = "00 80 8c 0c 00"
"""What has no letter."""
_LARGE = 5
"""Odd, so that one of the large samples is the middle of a sample."""
_FRACTION_BITS = 4


class Letters:
    """Letters of one size and colour, each in a cell `width` x `height` samples large. One thread; what was drawn is kept."""

    def __init__(self, width: int, height: int, ground: int, colour: int) -> None:
        self.width, self.height = width, height
        self._ground, self._colour = ground, colour
        self._cells: dict[str, Plane] = {}

    def write(self, luma: Plane, text: str, left: int, top: int) -> None:
        """Copy cell after cell into luma, the first one's corner at (left, top). What leaves luma is cut."""
        upper, lower = max(0, top), min(top + self.height, luma.shape[0])
        for letter in plain(text):
            first, last = max(0, left), min(left + self.width, luma.shape[1])
            if upper < lower and first < last:
                luma[upper:lower, first:last] = self._cell(letter)[upper - top : lower - top, first - left : last - left]
            left += self.width

    def _cell(self, letter: str) -> Plane:
        cell = self._cells.get(letter)
        if cell is None:
            cell = self._cells[letter] = _drawn(letter, self.width, self.height, self._ground, self._colour)
        return cell


def plain(text: str) -> str:
    """The text without accents, one character a cell; a character that has no plain letter stays and becomes a box."""
    if text.isascii():
        return text
    import unicodedata  # late: its tables are for those who write accents

    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def _drawn(letter: str, width: int, height: int, ground: int, colour: int) -> Plane:
    """One letter's cell, drawn `_LARGE` times as large and averaged down: strokes stay readable at any size.

    The outermost stems and bars fall on whole samples of the cell, so that small letters are sharp.
    """
    wide, tall = max(1, width - max(2, round(width * 0.35))), 2 * max(2, round(height * 0.345))
    tail, thickness = tall * (_LOWEST - _ROWS) / _ROWS, max(1.0, height * 0.1)
    left, top = (width - 1 - wide) // 2, max(0, int(height - tall - tail - thickness / 2 - 0.5))
    step = np.array((wide / _COLUMNS, tall / _ROWS))
    # A large sample's number is that of its middle, and OpenCV's lines come out about two samples thicker than asked.
    corner, thick = np.array((left, top)) * _LARGE + _LARGE // 2, max(1, round(thickness * _LARGE) - 2)
    lines = []
    for line in _STROKES.get(letter, _BOX).split(", "):
        points = np.array([(int(at[0], 16), int(at[1], 16)) for at in line.split()]).reshape(-1, 2)
        lines.append(np.round((corner + points * step * _LARGE) * (1 << _FRACTION_BITS)).astype(np.int32))
    large = np.full((height * _LARGE, width * _LARGE), ground, np.uint8)
    cv2.polylines(large, lines, False, colour, thick, cv2.LINE_AA, _FRACTION_BITS)
    cell = np.empty((height, width), np.uint8)
    cv2.resize(large, (width, height), dst=cell, interpolation=cv2.INTER_AREA)
    return cell
