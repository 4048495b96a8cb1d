"""What the next frame is expected to show: how alike every patch was lately, on frames that were shown.

A patch is not simply there or not: in fog, out of focus or at night hundreds of patches that no longer confirm one by one
still say together that the scene lies where it lay, and fall silent together when it does not. So what is lost is measured
over all of them, each weighing as much as the area it stands for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agent.view.patches import Patches

SILENT, SPEAKS = 0.15, 0.5
"""Likeness below which a patch says nothing (chance reaches 0.25), and above which it says all it can."""
_FOLLOWS = 0.5
"""How far an expectation follows each frame that was shown: what goes by and by is forgotten, a lorry's way."""
_LEAST_EXPECTED = 0.3
_FAINT, _MURMUR = 0.6, 0.2
"""Voices below the first are believed as long as all of them together say as much as the second: fog does, and what a lorry
hides says half of that by chance."""
_LEAST_AREA = 0.02
_LOUD, _HUSHED, _STAYS_LOUD = 0.6, 0.1, 0.9
"""A patch that was at the first within the last five frames and is below the second was hidden by something: night, fog and
a lens that goes out of focus take longer."""


def voice(likeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each patch says for the pose it was looked at: 0 to 1."""
    return np.asarray(np.clip((likeness - SILENT) / (SPEAKS - SILENT), 0.0, 1.0), np.float64)


class Expectation:
    """Of each patch, 0 to 1. One thread. Only frames that are shown change it: a frame closed for doubt keeps its reason."""

    def __init__(self, patches: Patches) -> None:
        self.area = patches.area
        self.of = np.ones(len(patches))
        self._asked = self._counting()
        self.confirmed = np.zeros(len(patches))
        """How lately each patch confirmed by itself; for the ageing of the reference."""
        self._loud = np.zeros(len(patches))
        self._hidden = np.zeros(len(patches), np.bool_)

    def seen(self, confirmed: NDArray[np.bool_], heard: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
        """The share of the known area in this frame that confirms. What something hides, having gone at once, is not asked."""
        hushed = (heard < _HUSHED) & (self._loud >= _LOUD)
        asked = inside & ~(self._hidden & (heard < _LOUD)) & ~hushed
        total = float(self.area[asked].sum())
        return float(self.area[asked & confirmed].sum()) / total if total > 0 else 0.0

    def kept(self, heard: NDArray[np.float64], inside: NDArray[np.bool_]) -> float:
        """The share of what is expected in this frame that is there: 1 when all is, by area."""
        asked = inside & self._asked
        area, wanted = self.area[asked], self.of[asked]
        total = float(area @ wanted)
        if total < _LEAST_AREA:
            return 0.0
        return float(area @ np.minimum(heard[asked], wanted)) / total

    def returned(self, confirmed: NDArray[np.bool_]) -> float:
        """The area that confirms although little or nothing was expected of it."""
        return float(self.area[confirmed & (self.of < _FAINT)].sum())

    def learn(self, heard: NDArray[np.float64], confirmed: NDArray[np.bool_], *, at_once: bool) -> None:
        """A frame is shown that says so much. `at_once`: all is taken from it, what was expected and is gone is given up."""
        self.of += (1.0 if at_once else _FOLLOWS) * (heard - self.of)
        self._hidden |= (heard < _HUSHED) & (self._loud >= _LOUD)
        self._hidden &= heard < _LOUD
        self._loud = np.maximum(heard, _STAYS_LOUD * self._loud)
        self._asked = self._counting()
        self.confirmed = np.where(confirmed, 1.0, (1 - _FOLLOWS) * self.confirmed)

    def carried_to(self, before: Patches, now: Patches) -> None:
        """Other patches from now on: those known keep their expectation, new ones are not expected before they were seen."""
        was = {tuple(at): n for n, at in enumerate(before.at.tolist())}
        old = [was.get(tuple(at), -1) for at in now.at.tolist()]
        known = np.array(old) >= 0
        self.of = np.where(known, self.of[old], 0.0)
        self.confirmed = np.where(known, self.confirmed[old], 0.0)
        self._loud = np.where(known, self._loud[old], 0.0)
        self._hidden = known & self._hidden[old]
        self.area = now.area
        self._asked = self._counting()

    def _counting(self) -> NDArray[np.bool_]:
        """The patches of which something is expected."""
        faint = self.of < _FAINT
        murmur = float(self.area[faint] @ self.of[faint]) >= _MURMUR * float(self.area[faint].sum())
        return np.asarray(self.of > (_LEAST_EXPECTED if murmur else _FAINT), np.bool_)
