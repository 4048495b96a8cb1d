"""What cameras lay on their pictures, drawn over a luma: clocks and names, a logo, a hood. Knows where it drew."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from agent.picture.planes import Plane

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)


@dataclass(frozen=True)
class Text:
    """One line of text; `{s}` in it becomes the seconds. `at`: fraction of the picture where its lower left corner lies.

    `look`: "edge" (a dark outline), "box" (a dark field) or "plain"; `height` of a capital in pixels of the luma.
    """

    text: str
    at: tuple[float, float]
    height: int = 12
    level: int = 235
    look: str = "edge"
    font: int = 0

    def draw(self, luma: Plane, second: int) -> None:
        text = self.text.format(s=f"{second % 60:02d}")
        font, thick = _FONTS[self.font], max(1, self.height // 10)
        scale = cv2.getFontScaleFromHeight(font, self.height, thick)
        (long, tall), below = cv2.getTextSize(text, font, scale, thick)
        rows, columns = luma.shape
        x = round(min(self.at[0] * columns, columns - long - 3))
        y = round(max(self.at[1] * (rows - below - 3), tall + 3))
        if self.look == "box":
            cv2.rectangle(luma, (x - 3, y - tall - 3), (x + long + 3, y + below + 2), 20, -1)
        elif self.look == "edge":
            cv2.putText(luma, text, (x, y), font, scale, 16, thick + 2, cv2.LINE_AA)
        cv2.putText(luma, text, (x, y), font, scale, self.level, thick, cv2.LINE_AA)


@dataclass(frozen=True)
class Overlay:
    """Everything that is fixed to one camera."""

    texts: tuple[Text, ...] = ()
    hood: tuple[tuple[float, float], ...] = ()
    logo: tuple[float, float, float] | None = None
    """Centre and radius, in fractions."""
    seed: int = 0
    _made: dict[tuple[int, int], Plane] = field(default_factory=dict, compare=False, repr=False)

    def over(self, luma: Plane, second: int = 0) -> Plane:
        """A copy of the luma with it on top."""
        out = luma.copy()
        rows, columns = out.shape
        if self.hood:
            grain = np.random.default_rng(self.seed).normal(0, 14, (rows, columns))
            stuff = np.clip(cv2.GaussianBlur(grain, (0, 0), 1.5) * 3 + 45, 0, 255).astype(np.uint8)
            covered = np.zeros_like(out)
            cv2.fillPoly(covered, [np.round(np.array(self.hood) * (columns, rows)).astype(np.int32)], 1)
            out[covered > 0] = stuff[covered > 0]
        if self.logo is not None:
            x, y, radius = self.logo
            middle, size = (round(x * columns), round(y * rows)), round(radius * columns)
            cv2.circle(out, middle, size, 235, -1, cv2.LINE_AA)
            cv2.circle(out, middle, round(0.7 * size), 60, -1, cv2.LINE_AA)
            cv2.rectangle(
                out, (middle[0] - size // 3, middle[1] - size // 5), (middle[0] + size // 3, middle[1] + size // 5), 220, -1
            )
        for text in self.texts:
            text.draw(out, second)
        return out

    def covered(self, rows: int, columns: int) -> Plane:
        """255 on every sample that it touches in any second."""
        changed = np.zeros((rows, columns), np.uint8)
        for under in (40, 210):
            ground = np.full((rows, columns), under, np.uint8)
            for second in (0, 11, 28, 37, 59):
                changed[self.over(ground, second) != ground] = 255
        return changed


CLOCK = Text("2026-11-30 14:07:{s}", (0.02, 0.02))
NAME = Text("CAM 03 MAIRIE", (0.68, 0.98))
USUAL = Overlay((CLOCK, NAME))
HEAVY = Overlay(
    (
        CLOCK,
        NAME,
        Text("Place du Marche - Nord", (0.02, 0.98)),
        Text("1920x1080 25fps {s}00 kbps", (0.66, 0.02), 10),
        Text("POLICE MUNICIPALE", (0.35, 0.10), 14),
    ),
    logo=(0.93, 0.16, 0.045),
)
HOOD = Overlay(hood=((0.0, 0.0), (1.0, 0.0), (1.0, 0.1), (0.7, 0.06), (0.3, 0.07), (0.0, 0.16)))
