"""Can this view be guarded, and how well? Said at commissioning, before anybody relies on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from agent.config.polygon import Polygon
from agent.view.patches import CELLS_ACROSS, CELLS_DOWN, Patches
from agent.view.pose import Frame

LEAST_PATCHES = 16
LEAST_CELLS = 6
GOOD_PATCHES = 40
FAR_PROOF = 0.15
"""Of the width: a mask whose nearest patches lie further away is proved by the rest of the view alone."""


class MaskProof(Struct, frozen=True):
    """How far the third nearest patch lies from a mask, as a fraction of the picture's width."""

    mask: int
    distance: float


class Verdict(Struct, frozen=True):
    """`guardable`, or `reason` says in words what is missing.

    `resemblance` is the mean likeness of a patch to its surroundings.
    """

    guardable: bool
    reason: str
    patches: int
    cells: int
    cells_of: int
    resemblance: float
    proofs: tuple[MaskProof, ...]

    def document(self) -> dict[str, Any]:
        """The verdict as JSON holds it."""
        return structs.asdict(self) | {"proofs": [structs.asdict(proof) for proof in self.proofs]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Verdict:
        """What `document` made."""
        return cls(**{**document, "proofs": tuple(MaskProof(**proof) for proof in document["proofs"])})

    def lines(self, names: Sequence[str] = ()) -> list[str]:
        """The verdict for a technician; `names` are those of the masks."""
        if not self.guardable:
            return [f"this view cannot be guarded: {self.reason}"]
        quality = "well" if self.patches >= GOOD_PATCHES else "just"
        said = [
            f"this view can be guarded {quality}: {self.patches} patches in {self.cells} of {self.cells_of} cells, "
            f"likeness to their surroundings {self.resemblance:.2f}"
        ]
        for proof in self.proofs:
            name = names[proof.mask] if proof.mask < len(names) else proof.mask + 1
            far = " - far: give it a generous margin" if proof.distance > FAR_PROOF else ""
            said.append(f"mask {name}: its proof lies {100 * proof.distance:.1f} % of the width away{far}")
        return said


def judge(patches: Patches, resemblance: NDArray[np.float64], polygons: Sequence[Polygon], frame: Frame) -> Verdict:
    """The verdict on the patches of a view and where its masks lie."""
    cells = len(np.unique(patches.cell))
    reason = ""
    if len(patches) < LEAST_PATCHES:
        reason = f"{len(patches)} places in it can be told from their surroundings, {LEAST_PATCHES} are needed"
    elif cells < LEAST_CELLS:
        reason = f"what can be recognised fills {cells} of {CELLS_ACROSS * CELLS_DOWN} parts of it, {LEAST_CELLS} are needed"
    proofs = tuple(MaskProof(i, _proof_distance(patches, p, frame)) for i, p in enumerate(polygons)) if len(patches) else ()
    mean = float(resemblance.mean()) if len(resemblance) else 0.0
    return Verdict(not reason, reason, len(patches), cells, CELLS_ACROSS * CELLS_DOWN, mean, proofs)


def _proof_distance(patches: Patches, polygon: Polygon, frame: Frame) -> float:
    outline = frame.from_fractions(np.array(polygon)).astype(np.float32).reshape(-1, 1, 2)
    away = sorted(-cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in patches.at)
    return float(away[min(2, len(away) - 1)]) / frame.width
