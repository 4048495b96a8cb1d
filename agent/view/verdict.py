"""Can this view be guarded, and how well? Said at commissioning, before anybody relies on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from agent.base.phrase import joined, say
from agent.config.polygon import Polygon
from agent.picture.planes import Plane
from agent.view.cover_geometry import stamp
from agent.view.excluded_area import MOST_SHARE, ExcludedArea, excluded_plane
from agent.view.patches import CELLS_ACROSS, CELLS_DOWN, Patches
from agent.view.pose import WorkingSize

LEAST_PATCHES = 16
LEAST_CELLS = 6
GOOD_PATCHES = 40
FAR_PROOF = 0.15
"""Of the width: a mask whose nearest patches lie further away is proved by the rest of the view alone."""
NEAR_PROOF = 0.06
"""Of the width: so near, a turn or a lens's bend between landmark and mask is less than a margin."""
OVERLAID = 1 / 3
"""Of what lies within FAR_PROOF of a mask: so much fixed to the camera is the reason that its proof is far."""
MUCH_FIXED = 0.1
RESTS_OFF = 0.01


class MaskProof(Struct, frozen=True):
    """How far the third nearest patch lies from a mask, as a fraction of the picture's width.

    `overlaid`: a third of what lies around the mask, or more, is fixed to the camera, and the proof is far for it.
    """

    mask: int
    distance: float
    overlaid: bool = False

    def words(self, name: str) -> str:
        """For a technician."""
        away = say("{distance:.0f} % of the picture's width away", distance=100 * self.distance)
        if self.overlaid:
            return say(
                "mask {name}: weakly guarded: the camera's own texts cover what could tell its place. Move "
                "those texts to another corner or switch them off, then `vigie masks validate` again",
                name=name,
            )
        if self.distance > FAR_PROOF:
            return say(
                "mask {name}: weakly guarded: the nearest landmarks are {away}; raise [privacy] margin, or draw "
                "this mask larger, then `vigie masks validate` again",
                name=name,
                away=away,
            )
        if self.distance > NEAR_PROOF:
            return say("mask {name}: guarded: landmarks {away} tell its place", name=name, away=away)
        return say("mask {name}: well guarded: landmarks right beside it tell its place", name=name)


class ViewVerdict(Struct, frozen=True):
    """`guardable`, or `reason` says in words what is missing.

    `resemblance` is the mean likeness of a patch to its surroundings; `excluded` says in words what is fixed to the camera,
    `excluded_share` how much of the frame that is; `nudged`: it was told from the scene by a push, after which the camera
    came to rest `rests_off` (of the width) from where it was.
    """

    guardable: bool
    reason: str
    patches: int
    cells: int
    cells_of: int
    resemblance: float
    proofs: tuple[MaskProof, ...]
    remedy: str = ""
    excluded: tuple[str, ...] = ()
    excluded_share: float = 0.0
    nudged: bool = False
    rests_off: float = 0.0

    def document(self) -> dict[str, Any]:
        """The verdict as JSON holds it."""
        return structs.asdict(self) | {"proofs": [structs.asdict(proof) for proof in self.proofs]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ViewVerdict:
        """What `document` made."""
        proofs = tuple(MaskProof(**proof) for proof in document["proofs"])
        return cls(**{**document, "proofs": proofs, "excluded": tuple(document.get("excluded", ()))})

    def lines(self, names: Sequence[str] = ()) -> list[str]:
        """The verdict for a technician; `names` are those of the masks."""
        if not self.guardable:
            return [say("this view cannot be guarded: {reason}", reason=self.reason)]
        quality = say("well") if self.patches >= GOOD_PATCHES else say("just")
        said: list[str] = [
            say(
                "this view can be guarded {quality}: {patches} landmarks, spread over {cells} of {cells_of} parts of the picture",
                quality=quality,
                patches=self.patches,
                cells=self.cells,
                cells_of=self.cells_of,
            )
        ]
        said += [p.words(names[p.mask] if p.mask < len(names) else str(p.mask + 1)) for p in self.proofs]
        if self.excluded:
            said.append(
                say(
                    "fixed to the camera, or like it, and so no proof of the view ({excluded_share:.1%} of the picture):",
                    excluded_share=self.excluded_share,
                )
            )
            said += [joined("", ("  ", words)) for words in self.excluded]
        elif self.nudged:
            said.append(say("nothing is fixed to the camera: all that can be recognised went along with the push"))
        if not self.nudged:
            said.append(say("what the camera lays on its picture is found for certain by a push: `vigie masks validate --nudge`"))
        if self.rests_off > RESTS_OFF:
            said.append(
                say(
                    "the camera came to rest {rests_off:.1%} of the width from where it was: the masks follow the "
                    "scene. Tighten the bracket, and validate again if it moved for good",
                    rests_off=self.rests_off,
                )
            )
        return said


def judge(
    patches: Patches,
    resemblance: NDArray[np.float64],
    polygons: Sequence[Polygon],
    frame: WorkingSize,
    excluded: Sequence[ExcludedArea] = (),
) -> ViewVerdict:
    """The verdict on the patches of a view, where its masks lie, and what of the frame is fixed to the camera."""
    fixed = excluded_plane(excluded, frame)
    share = float(np.count_nonzero(fixed)) / fixed.size
    cells = len(np.unique(patches.cell))
    reason, remedy = _missing(len(patches), cells, share)
    proofs = tuple(_mask_proof(i, patches, p, frame, fixed) for i, p in enumerate(polygons)) if len(patches) else ()
    return ViewVerdict(
        guardable=not reason,
        reason=reason,
        patches=len(patches),
        cells=cells,
        cells_of=CELLS_ACROSS * CELLS_DOWN,
        resemblance=float(resemblance.mean()) if len(resemblance) else 0.0,
        proofs=proofs,
        remedy=remedy,
        excluded=tuple(area.words() for area in excluded),
        excluded_share=share,
    )


def _missing(patches: int, cells: int, share: float) -> tuple[str, str]:
    """Why a view cannot be guarded and what to do, or two empty texts."""
    if share > MOST_SHARE:
        return (
            say("{share:.0%} of the picture is fixed to the camera, and the rest is too little to know the view by", share=share),
            say("switch the camera's texts and logos off, clear its hood from the view, or draw [[privacy.overlay]] closer"),
        )
    beside = say(" beside what is fixed to the camera ({share:.0%} of the picture)", share=share) if share > MUCH_FIXED else ""
    remedy = say("take in more of what stands still (edges of buildings, kerbs, signs), focus, and validate again")
    if beside:
        remedy = say("switch the camera's texts and logos off, or {remedy}", remedy=remedy)
    if patches < LEAST_PATCHES:
        return say(
            "{patches} places in it{beside} can be told from their surroundings, {least_patches} are needed",
            patches=patches,
            beside=beside,
            least_patches=LEAST_PATCHES,
        ), remedy
    if cells < LEAST_CELLS:
        parts = CELLS_ACROSS * CELLS_DOWN
        return say(
            "what can be recognised{beside} fills {cells} of {parts} parts of it, {least_cells} are needed",
            beside=beside,
            cells=cells,
            parts=parts,
            least_cells=LEAST_CELLS,
        ), remedy
    return "", ""


def _mask_proof(number: int, patches: Patches, polygon: Polygon, frame: WorkingSize, fixed: Plane) -> MaskProof:
    distance = _proof_distance(patches, polygon, frame)
    if distance <= FAR_PROOF or not fixed.any():
        return MaskProof(number, distance)
    reach = 2 * round(FAR_PROOF * frame.width) + 1
    inside = stamp([np.array(polygon)], frame)
    around = (cv2.dilate(inside, np.ones((reach, reach), np.uint8)) > 0) & (inside == 0)
    overlaid = np.count_nonzero(fixed[around]) >= np.count_nonzero(around) * OVERLAID
    return MaskProof(number, distance, bool(overlaid))


def _proof_distance(patches: Patches, polygon: Polygon, frame: WorkingSize) -> float:
    outline = frame.from_fractions(np.array(polygon)).astype(np.float32).reshape(-1, 1, 2)
    away = sorted(-cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in patches.at)
    return float(away[min(2, len(away) - 1)]) / frame.width
