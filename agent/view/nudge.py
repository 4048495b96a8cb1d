"""A push tells the scene from what is fixed to the camera: the scene goes along, all in one motion, and the rest stays.

The technician pushes the camera for some seconds. Each frame is compared with the still of before, once as the frame lies
and once moved back by the scene's motion; what looks right only where it always was is fixed to the camera. Frames and
their votes live in the memory of the commissioning alone, private samples are taken out of both sides of every comparison,
and nothing remains but outlines.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from agent.base.phrase import say
from agent.picture.cover import Corners
from agent.picture.planes import Plane
from agent.view.cover_geometry import stamp
from agent.view.excluded_area import ExcludedArea, Ground, areas_from
from agent.view.local_contrast import normalise, reduce
from agent.view.local_likeness import local_likeness, textured
from agent.view.nudged_pose import NudgedPose
from agent.view.pose import Pose, WorkingSize, move

LEAST_MOVED_PX = 4.0
"""Of the working picture, at the corner that moved most: less does not tell what stays from what goes along."""
LEAST_MOVED_PICTURES = 3
MOST_STAYING = 0.5
"""Of what can be recognised at all: when more than this stays, nobody can say which of the two is the scene."""
TELLING_PX = 3.0
"""Where a point of the frame has moved by less than this, it has no vote on this frame."""
_ALIKE = 0.7
_PERHAPS_ALIKE = 0.4
_CLEARLY = 0.15
_LEAST_VOTES = 2
_SURE_SHARE = 0.6


class NudgeProgress(Struct, frozen=True):
    """What has been seen so far. `moved` is the furthest push and `staying` the share that did not go along, both fractions."""

    pictures: int
    moved_pictures: int
    lost_pictures: int
    moved: float
    staying: float

    @property
    def words(self) -> str:
        """For the technician who is pushing."""
        if not self.moved_pictures:
            lost = self.lost_pictures > 2
            return say("not recognised anywhere: push more gently") if lost else say("it has not moved yet: push")
        stays = say(", {staying:.0%} of what can be recognised stayed behind", staying=self.staying)
        return say(
            "moved by up to {moved:.1%} of the width{stays}", moved=self.moved, stays=stays if self.staying >= 0.005 else ""
        )


class NudgeResult(Struct, frozen=True, eq=False):
    """What the push showed: areas that stayed, where alone a patch may be taken (255), and why it is of no use, if so."""

    areas: tuple[ExcludedArea, ...]
    patchable: Plane
    progress: NudgeProgress
    rests_off: float
    """How far from before the camera came to rest, as a fraction of the width; 0 when it is not known."""
    fault: str = ""
    remedy: str = ""


class Nudge:
    """One push, watched against the still of before. One thread; `look` takes 10 to 30 ms, more when the view is lost."""

    def __init__(self, still: Plane, outlines: Sequence[Corners], frame: WorkingSize) -> None:
        """`still`: luma of the analysis size, at rest, private samples blanked; `outlines` of what is private."""
        self._frame = frame
        self._outlines = outlines
        small = reduce(still)
        self._home = normalise(small)
        self._private = stamp(outlines, frame)
        near_private = np.asarray(cv2.dilate(self._private, np.ones((17, 17), np.uint8)), np.uint8)
        self._telling = textured(small, self._home) & (near_private == 0)
        self._poses = NudgedPose(small, self._home, near_private, frame)
        grid_y, grid_x = np.mgrid[0 : frame.height, 0 : frame.width].astype(np.float64)
        self._grid = np.stack([grid_x.ravel(), grid_y.ravel()], axis=1)
        shape = (frame.height, frame.width)
        self._stays, self._may_stay, self._goes, self._seen = (np.zeros(shape, np.int32) for _ in range(4))
        self._pictures = self._moved = self._lost = 0
        self._furthest_px = 0.0
        self._last: Pose | None = None

    def look(self, luma: Plane) -> NudgeProgress:
        """One more frame (analysis size), as the camera gave it."""
        self._pictures += 1
        now = normalise(reduce(luma))
        pose = self._poses.find(now)
        self._last = pose
        if pose is None:
            self._lost += 1
            return self.progress
        shift_px = self._frame.shift_px(pose)
        self._furthest_px = max(self._furthest_px, shift_px)
        if shift_px >= LEAST_MOVED_PX:
            self._moved += 1
            self._vote(luma, pose)
        return self.progress

    @property
    def progress(self) -> NudgeProgress:
        """So far."""
        staying = int(np.count_nonzero(self._fixed()))
        known = staying + int(np.count_nonzero(self._telling & (self._goes >= _LEAST_VOTES) & ~self._fixed()))
        share = staying / known if known else 0.0
        return NudgeProgress(self._pictures, self._moved, self._lost, self._furthest_px / self._frame.width, share)

    def result(self) -> NudgeResult:
        """What it came to. Never raises: a push that showed nothing says so in `fault`."""
        progress = self.progress
        areas = areas_from(self._fixed_and_beside(), self._frame, Ground.STAYED)
        sure = (self._goes >= _LEAST_VOTES) & (self._goes >= _SURE_SHARE * self._seen)
        patchable = np.where(sure, 255, 0).astype(np.uint8)
        rests = self._frame.shift_px(self._last) / self._frame.width if self._last is not None else 0.0
        fault, remedy = self._fault(progress)
        return NudgeResult(areas, patchable, progress, rests, fault, remedy)

    def _fault(self, progress: NudgeProgress) -> tuple[str, str]:
        if not progress.pictures:
            return (
                say("no picture of the push arrived undamaged"),
                say("check cable and switch, or fetch the stream over TCP, and validate again"),
            )
        if progress.moved_pictures < LEAST_MOVED_PICTURES:
            if progress.lost_pictures > progress.pictures / 2:
                return (
                    say(
                        "the view was not recognised on {lost} of {pictures} pictures of the push, "
                        "and never on three where it had moved",
                        lost=progress.lost_pictures,
                        pictures=progress.pictures,
                    ),
                    say(
                        "push more gently and for all of the time; where the camera's own clock or texts fill the picture, "
                        "switch them off first"
                    ),
                )
            return (
                say(
                    "the push moved nothing: by {moved:.1%} of the width at most, {least:.1%} on three pictures are needed",
                    moved=progress.moved,
                    least=LEAST_MOVED_PX / self._frame.width,
                ),
                say(
                    "push the housing itself, harder and back again, until the time is over; switch off image stabilisation; "
                    "is this the camera that is configured?"
                ),
            )
        if progress.staying > MOST_STAYING:
            return (
                say(
                    "{staying:.0%} of what can be recognised stayed in place; "
                    "something on the camera fills the picture, or something large drove by",
                    staying=progress.staying,
                ),
                say(
                    "switch the camera's texts and logos off, clear its hood from the view, or wait for the vehicle to pass; "
                    "then validate again"
                ),
            )
        return "", ""

    def _fixed(self) -> NDArray[np.bool_]:
        """Where something was seen to stay, at least half as often as it went along."""
        return np.asarray((self._stays >= _LEAST_VOTES) & (2 * self._stays >= self._goes), np.bool_)

    def _fixed_and_beside(self) -> NDArray[np.bool_]:
        """The same, and what hangs together with it and seems to stay: digits that tick, letters the scene shines through."""
        sure = self._fixed()
        perhaps = sure | ((self._may_stay >= _LEAST_VOTES) & (self._may_stay > self._goes))
        joined = cv2.dilate(perhaps.astype(np.uint8), np.ones((3, 9), np.uint8))
        count, labels = cv2.connectedComponents(joined)
        holds = np.zeros(count, np.bool_)
        holds[np.unique(labels[sure])] = True
        holds[0] = False
        return np.asarray(perhaps & holds[labels], np.bool_)

    def _vote(self, luma: Plane, pose: Pose) -> None:
        """Every sample that can tell says whether it is as it was here, or as it was where the scene came from."""
        size = (self._frame.width, self._frame.height)
        there = move(pose, self._grid)
        shift = np.hypot(*(there - self._grid).T).reshape(self._private.shape)
        x, y = there.T
        inside = ((x >= 0) & (y >= 0) & (x <= size[0] - 1) & (y <= size[1] - 1)).reshape(self._private.shape)
        # What is private lies elsewhere on this frame: taken out before anything is compared.
        private_now = np.asarray(cv2.warpPerspective(self._private, pose, size), np.uint8)
        private_now = np.asarray(cv2.dilate(private_now, np.ones((9, 9), np.uint8)), np.uint8)
        small = reduce(luma).copy()
        small[private_now > 0] = 128
        now = normalise(small)
        back = np.asarray(
            cv2.warpPerspective(now, pose, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE),
            np.uint8,
        )
        hidden = cv2.dilate(private_now, np.ones((17, 17), np.uint8)) > 0
        tells = self._telling & (shift >= TELLING_PX)
        here = local_likeness(self._home, now)
        moved = local_likeness(self._home, back)
        stays = tells & ~hidden & (here > _ALIKE) & (here > moved + _CLEARLY)
        goes = tells & inside & (moved > _ALIKE) & (moved > here - _CLEARLY)
        self._stays += stays
        self._may_stay += tells & ~hidden & (here > _PERHAPS_ALIKE) & (here > moved + _CLEARLY)
        self._goes += goes
        self._seen += tells & inside
