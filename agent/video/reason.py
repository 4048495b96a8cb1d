"""Words on a closed picture: why nothing is shown."""

from __future__ import annotations

import textwrap
import unicodedata

import cv2

from agent.video.picture import Plane

WHITE = 235
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def write_reason(luma: Plane, reason: str) -> None:
    """Write `reason` in the middle of a luma plane that is one colour; smaller letters for small pictures."""
    height, width = luma.shape
    scale = max(width / 1000, 0.4)
    advance, thickness = 19.0 * scale, max(1, round(1.6 * scale))
    lines = textwrap.wrap(ascii_text(reason), max(8, int(width * 0.92 / advance)))[:8] or ["closed"]
    step = 42 * scale
    for number, line in enumerate(lines):
        (line_width, _), _ = cv2.getTextSize(line, _FONT, scale, thickness)
        left = max(0, (width - line_width) // 2)
        base = round(height / 2 + (number - (len(lines) - 1) / 2) * step)
        cv2.putText(luma, line, (left, base), _FONT, scale, WHITE, thickness, cv2.LINE_8)


def ascii_text(text: str) -> str:
    """The same words in the letters OpenCV's stroke fonts have: accents are dropped, what is left becomes `?`."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c if " " <= c <= "~" else "?" for c in plain if not unicodedata.combining(c))
