"""Follows the validated view from frame to frame, and says of every frame whether its masks' places are proved."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np
from msgspec import Struct

from agent.base.phrase import say
from agent.picture.cover import Corners, ViewState
from agent.picture.planes import Plane
from agent.view.ageing import ViewAgeing
from agent.view.expectation import Expectation
from agent.view.fading import Fading
from agent.view.finder import BRIEF_FRAMES, SURE_KEPT, Before, Finder
from agent.view.fixed_marks import FixedMarks, where
from agent.view.local_contrast import Normaliser, reduce
from agent.view.patches import Patches
from agent.view.phase_correlation import prepare
from agent.view.pose import HOME, Pose, WorkingSize, panned
from agent.view.proof import SIGMAS, STILL_PX, Proof
from agent.view.reading import PoseReader, PoseReading
from agent.view.relocation import Relocation
from agent.view.row_proof import RowProof
from agent.view.small_copy import ITSELF, CopySearch, CopySearchThread, CopyWatch
from agent.view.trail import JUMP_PX, Trail, displaced

log = logging.getLogger(__name__)

LEAST_KEPT = 0.75
"""Of what is expected, by area: when more is gone at once and was not found elsewhere, the frame is not shown."""
LEAST_KEPT_MOVED = 0.5
"""The same at another pose than before that is not home either, proved on REOPEN_FRAMES in a row: there nothing lies that is
fixed to the camera."""
LEAST_KEPT_AT_FIRST = 0.65
"""The same after a start, of all that was validated: it may be night by now, or the camera was knocked meanwhile, and marks
that nobody found fill up to half of a view."""
LEAST_STOOD_AT_FIRST = 0.5
"""The same after STOOD_FRAMES at one pose while the search found no other."""
REOPEN_FRAMES = 3
STOOD_FRAMES = 50
LEAST_RETURNED = 0.4
"""Of the known area: so much that comes back at one pose on REOPEN_FRAMES in a row is the scene. What is fixed to the camera
lies before everything in it, so that it cannot have been hidden and cannot come back."""
STOOD_AREA = 0.6
"""A view that stays closed because much is gone is believed again when so much of the known area confirms at one pose on so
many frames in a row, and no search found another one: no overlay fills half of the frame."""
LEAST_AREA = 0.5
LOOK_AROUND_EVERY = 25
"""While less of the known area than that confirms, the whole frame is searched for the view on every so many that are shown."""
LEAST_SEEN = 0.2
"""Of the known area that nothing hides: with less that confirms by itself the rest only murmurs, and so does what lies on the
frame, wherever the camera looks."""
LEAST_SIGNED_HEARD = 0.15
"""Of the area of the signed patches: less is chance, and what was learned since proves nothing alone."""
LENS_DOUBT = 0.06
"""Of the shift: a lens that is no pinhole bends a mask by this much on its way across the frame, at most."""
FAR_DOUBT = 0.02
"""Of the distance between a mask and the patches that prove it: the further, the wider the margin."""
MOVED = 0.02
"""Of the width: a view proved further than this from where it was validated has moved."""
LOST_FOR_GOOD_FRAMES = 250
AT_HOME_PX = 0.75
"""Nearer than this the view lies where it was validated, and can be learned from."""

_EXPECTED = _LEAST_ALIKE = 0.5


class Sighting(Struct, frozen=True):
    """One frame's verdict. `poses` is empty when the frame must be covered whole; `reason` then says why.

    Pixels are those of the working picture. The first pose is the proved one; masks lie at all of them, grown by `doubt_px`.
    `closed_frames` counts the frames since the last one that was shown, this one included: 0 when it is shown.
    """

    poses: tuple[Pose, ...]
    doubt_px: float
    state: ViewState
    reason: str
    shift_px: float = 0.0
    uncertainty_px: float = 0.0
    closed_frames: int = 0


class ViewTracker:
    """One thread calls `track`, once per frame. Holds the last frame shown (normalised, small) and nothing older."""

    def __init__(
        self,
        patches: Patches,
        frame: WorkingSize,
        polygons: Sequence[Corners],
        relocation: Relocation,
        ageing: ViewAgeing | None = None,
        copies: CopySearch | None = None,
    ) -> None:
        self._copies = CopyWatch(copies or CopySearchThread())
        self._outlines = [frame.from_fractions(np.asarray(p, np.float64)) for p in polygons]
        self._normalise = Normaliser()
        self._patches = patches
        self._frame = frame
        self._rows = RowProof(patches, self._outlines)
        self._finder = Finder(patches, frame, np.concatenate(self._outlines), relocation)
        self._ageing = ageing
        self._relocation = relocation
        self._expected = Expectation(patches)
        self._trail = Trail(frame)
        self._reader = PoseReader(patches, frame, self._expected, self._trail)
        self._marks = FixedMarks(patches)
        self._before = Before(None, HOME, HOME, 0)
        self._fading = Fading(len(patches))
        self._to_prove = REOPEN_FRAMES
        self._unsure = 0
        self._stood = 0
        self._returning = 0
        self._elsewhere = 0
        self._shown_by_half = 0
        self._given_up = False
        self._torn_frames = 0
        self._closed_frames = 0
        prepare(frame.height, frame.width)

    def track(self, luma: Plane) -> Sighting:
        """Prove one frame; `luma` is its luma at the analysis size."""
        small = reduce(luma)
        picture = self._normalise(small)
        expected = int(np.count_nonzero(self._expected.of > _EXPECTED))
        proof, candidates = self._finder.find(picture, self._before, self._reader.alone, round(_LEAST_ALIKE * expected))
        self._trail.passed(None if proof is None else proof.pose, self._before.pose)
        if proof is None:
            return self._not_proved(luma)
        reading = self._reader.read(picture, proof, candidates)
        still = len(self._trail.proved(reading.settled)) == 1 and self._trail.jump_px < STILL_PX
        copied = self._copies.seen(luma, picture, self._silent(reading), 1 - reading.kept, still=still)
        doubt = self._doubt(picture, reading) or (copied if copied == ITSELF else "")
        self._before = Before(self._before.picture, self._before.pose, proof.pose, 0)
        if doubt:
            return self._doubted(luma, proof, doubt)
        closed_frames = self._closed_frames
        sighting = self._shown(picture, reading)
        self._look_around(luma, proof)
        self._give_up_marks(reading)
        self._age(small, sighting)
        if copied:  # its pose is in no doubt, and is learned from: what goes on meanwhile is no second reason
            self._closed_frames = closed_frames + 1
            return Sighting((), 0.0, ViewState.UNCERTAIN, copied, sighting.shift_px, sighting.uncertainty_px, closed_frames + 1)
        return sighting

    # Judging what was found -----------------------------------------------------------------------------------------

    def _doubt(self, picture: Plane, reading: PoseReading) -> str:
        """Why this frame must not be shown although a pose was proved on it; empty when it may be."""
        proof, kept = reading.proof, reading.kept
        first = self._before.picture is None
        jumped = self._trail.jump_px > JUMP_PX
        still = self._before.tracked is self._before.pose
        new = jumped if still else self._frame.shift_px(proof.pose, self._before.tracked) > JUMP_PX
        if self._before.lost_frames > BRIEF_FRAMES:
            self._to_prove = REOPEN_FRAMES
        elif new and reading.alone < SURE_KEPT:
            self._unsure = REOPEN_FRAMES + 1
        elif kept >= SURE_KEPT:
            self._unsure = 0
        self._to_prove, self._unsure = max(0, self._to_prove - 1), max(0, self._unsure - 1)
        self._stood = 0 if new else self._stood + 1
        self._elsewhere = self._elsewhere + 1 if jumped and not new else 0
        moved = self._elsewhere >= REOPEN_FRAMES and self._frame.shift_px(proof.pose) > JUMP_PX
        least = LEAST_KEPT_AT_FIRST if first else LEAST_KEPT_MOVED if moved else LEAST_KEPT
        if first and self._stood >= STOOD_FRAMES:
            least = LEAST_STOOD_AT_FIRST
        self._returning = self._returning + 1 if self._expected.returned(proof.confirmed) >= LEAST_RETURNED and not new else 0
        self._given_up = first or jumped or kept < least
        stands = kept < least and self._stands(proof)
        if kept < least and not stands and self._returning < REOPEN_FRAMES:
            return say("much of the view is not where it was")
        if self._to_prove or self._unsure:
            return say("the view is being verified")
        if self._learned_alone(reading):
            return say("nothing of what was validated is seen")
        if self._expected.seen(proof.confirmed, reading.heard, proof.inside) < LEAST_SEEN:
            return say("too little of the view is seen")
        if first:
            return ""
        witnesses = (self._expected.of > _EXPECTED) & proof.inside
        if self._returning:  # and what came back in those rows was read out with the mask
            witnesses |= proof.confirmed
        torn = self._rows.torn(witnesses, 1 - reading.in_rows)
        self._torn_frames = self._torn_frames + 1 if torn else 0
        if torn and (kept < SURE_KEPT or self._torn_frames <= REOPEN_FRAMES):  # a tear lasts for one frame
            return say("the picture is torn")
        sure = self._expected.confirmed == 1.0
        masked = [*self._trail.proved(reading.settled[1:]), *reading.rivals]
        known = partial(displaced, self._frame, masked, proof.pose)
        if not self._fading.doubled(picture, proof, sure, kept, known, anew=stands):
            return ""
        self._trail.image_at(panned(self._frame, proof.pose, *self._fading.image_px))
        return say("the picture shows the view twice")

    def _silent(self, reading: PoseReading) -> float:
        """The share of what should be in the frame that is seen nowhere in it, by area."""
        inside = self._patches.area * reading.proof.inside
        return 1 - float(inside @ reading.heard) / float(inside.sum())

    def _learned_alone(self, reading: PoseReading) -> bool:
        """Whether what was learned carries the view without what was signed: it may lie on the lens, and only widens."""
        signed = len(self._patches) if self._ageing is None else self._ageing.signed
        if signed == len(self._patches):
            return False
        area, inside = self._patches.area[:signed], reading.proof.inside[:signed]
        return float(area @ (reading.heard[:signed] * inside)) < LEAST_SIGNED_HEARD * float(area[inside].sum())

    def _stands(self, proof: Proof) -> bool:
        """Whether enough of the known area has confirmed at one pose for so long that what is gone is given up."""
        inside = float(self._patches.area[proof.inside].sum())
        return self._stood >= STOOD_FRAMES and float(self._patches.area[proof.confirmed].sum()) >= STOOD_AREA * inside

    # What follows from it -------------------------------------------------------------------------------------------

    def _shown(self, picture: Plane, reading: PoseReading) -> Sighting:
        """The frame is shown, and is what the next one is compared with."""
        proof = reading.proof
        self._expected.learn(reading.heard, proof.confirmed, at_once=self._given_up)
        self._fading.shown(picture, proof, displaced(self._frame, reading.standing, proof.pose), anew=self._given_up)
        self._before = Before(picture, proof.pose, proof.pose, 0)
        self._closed_frames = 0
        shift_px = self._frame.shift_px(proof.pose)
        state = ViewState.MOVED if shift_px > MOVED * self._frame.width else ViewState.VERIFIED
        far_px = FAR_DOUBT * self._rows.furthest_px(proof.confirmed)
        doubt_px = SIGMAS * proof.uncertainty_px + proof.residual_px + LENS_DOUBT * shift_px + far_px
        return Sighting((*reading.settled, *reading.rivals), doubt_px, state, "", shift_px, proof.uncertainty_px)

    def _look_around(self, luma: Plane, proof: Proof) -> None:
        """What little proves a frame may be fixed to the camera: the scene is looked for elsewhere all the while."""
        half = float(self._patches.area[proof.confirmed].sum()) < LEAST_AREA
        self._shown_by_half = self._shown_by_half + 1 if half else 0
        if self._shown_by_half % LOOK_AROUND_EVERY == 1:
            self._relocation.look_for(luma)

    def _doubted(self, luma: Plane, proof: Proof, reason: str) -> Sighting:
        """A pose was proved and the frame is not shown: nothing is learned from it, and the view is looked for elsewhere."""
        self._closed_frames += 1
        self._relocation.look_for(luma)
        if self._ageing is not None:
            self._ageing.doubtful()
        shift_px = self._frame.shift_px(proof.pose)
        return Sighting((), 0.0, ViewState.UNCERTAIN, reason, shift_px, proof.uncertainty_px, self._closed_frames)

    def _not_proved(self, luma: Plane) -> Sighting:
        before = self._before
        self._before = Before(before.picture, before.pose, before.tracked, before.lost_frames + 1)
        self._closed_frames += 1
        self._stood = 0
        if self._before.lost_frames > BRIEF_FRAMES:
            self._reader.lost()
        self._relocation.look_for(luma)
        if self._ageing is not None:
            self._ageing.doubtful()
        if self._before.lost_frames > LOST_FOR_GOOD_FRAMES:
            reason = say("the camera no longer shows the view its masks were validated for")
            return Sighting((), 0.0, ViewState.MOVED, reason, closed_frames=self._closed_frames)
        return Sighting((), 0.0, ViewState.UNCERTAIN, say("the view is not recognised"), closed_frames=self._closed_frames)

    def _give_up_marks(self, reading: PoseReading) -> None:
        """What stayed at home while the view was elsewhere is fixed to the camera and proves nothing any more."""
        fixed = self._marks.saw(self._patches, reading.proof, reading.at_home) if reading.at_home.any() else None
        if fixed is None:
            return
        place = where(self._patches, fixed, self._frame.width, self._frame.height)
        log.warning(
            "%d of the %d places by which the view is known are fixed to the camera (%s), and count no longer:"
            " name them as [[privacy.overlay]] and validate the view again",
            *(np.count_nonzero(fixed), len(fixed), place),
        )
        if self._ageing is not None:
            self._ageing.dropped(fixed)
        self._know(self._patches.only(~fixed))
        self._marks.kept(~fixed)

    def _age(self, small: Plane, sighting: Sighting) -> None:
        """Learn what the view has become, while there is no doubt where it lies."""
        if self._ageing is None:
            return
        if sighting.shift_px > AT_HOME_PX:
            self._ageing.doubtful()
            return
        patches = self._ageing.certain(small, self._patches, self._expected.confirmed)
        if patches is not None:
            log.info("the view has changed: %d patches instead of %d", len(patches), len(self._patches))
            self._know(patches)
            self._marks.restarted(patches)

    def _know(self, patches: Patches) -> None:
        """Other patches from now on."""
        self._expected.carried_to(self._patches, patches)
        self._fading.other_patches(len(patches))
        self._patches = self._finder.patches = self._reader.patches = patches
        self._rows = RowProof(patches, self._outlines)
