"""One disturbance filmed through the real guard and the real privacy mask, and every frame held against the truth.

A leak frame has at least one private pixel that is not covered, or is said to stand still and does not. The picture is
available on a frame when it is a new one: neither closed altogether nor held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from agent.base.clock import NS
from agent.base.errors import MaskError
from agent.config.polygon import Polygon
from agent.mask.held_frame import mark_rows
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.analysis_luma import analysis_luma
from agent.picture.cover import Cover
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes
from agent.view.burnt_in import burnt_in
from agent.view.cover_geometry import private_outlines
from agent.view.guard import ViewGuard
from agent.view.reference import ViewIdentity, ViewReference, working_frame
from agent.view.relocation import SteppedRelocation
from agent.view.small_copy import SteppedCopySearch
from bench.decoded import EncodedAndDecoded
from bench.disturbance import FPS, Disturbance, Grain, Slab, Stage
from bench.disturbance_kinds import KINDS
from bench.manual_clock import ManualClock
from bench.ordinary_life import minutes_of, ordinary
from bench.scene import LAYOUTS, WIDTH, Scene
from bench.wrapping import wrapped
from bench.wrapping_port import Wrapping

MARGIN = 0.01
_WARM_UP = 6
_SEARCH_TAKES_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What one sequence is made from; the same plan gives the same pictures."""

    kind: str
    layout: str
    seed: int
    wrapping: str = "plain"
    scene: str = ""

    def __str__(self) -> str:
        return f"{self.scene}/{self.wrapping}/{self.layout}/{self.seed}/{self.kind}"

    @classmethod
    def parse(cls, text: str) -> Plan:
        """What `str` gave. ValueError when it is none."""
        scene, wrapping, layout, seed, kind = text.split("/", 4)
        return cls(kind, layout, int(seed), wrapping, scene)


@dataclass(slots=True)
class Outcome:
    """One sequence. `leaks`: frames with an uncovered private pixel; `worst`: the most such pixels on one frame."""

    plan: Plan
    frames: int = 0
    clear: int = 0
    leaks: list[int] = field(default_factory=list)
    worst: int = 0
    shut: list[int] = field(default_factory=list)
    """Frames on which the picture was closed, or stood still."""
    held: int = 0
    """Of these, on how many the last masked picture stood still."""
    back_s: float | None = 0.0
    decoded: int = 0
    """Pictures that were also encoded, decoded and looked at."""
    refused: str = ""
    """Why the view could not be commissioned."""

    @property
    def available(self) -> float:
        """Percent."""
        return 100 * self.clear / self.frames if self.frames else 0.0


def play(scene: Scene, plan: Plan, *, encoded: bool = False, frames: int | None = None, blind: bool = False) -> Outcome:
    """Commission a guard on the undisturbed view, then film one disturbance and hold every masked frame against the truth.

    `encoded`: the real frames are masked, encoded and decoded as well, and looked at again. `frames`: so many at most.
    """
    rng = np.random.default_rng(plan.seed)
    kind, minutes = KINDS.get(plan.kind, KINDS["calm"]), minutes_of(plan.kind)
    stage = Stage(rng, scene.height, int(rng.integers(*kind.events)))
    disturbance = kind.build(stage) if minutes is None else ordinary(stage, minutes)
    wrapping = wrapped(plan.wrapping, Stage(np.random.default_rng((plan.seed, 1)), scene.height, stage.event))
    return film(scene, plan, disturbance, wrapping, LAYOUTS[plan.layout], encoded=encoded, frames=frames, blind=blind)


def film(
    scene: Scene,
    plan: Plan,
    disturbance: Disturbance,
    wrapping: Wrapping,
    polygons: tuple[Polygon, ...],
    *,
    encoded: bool = False,
    frames: int | None = None,
    blind: bool = False,
    look: Callable[[int, Cover, Plane, Plane], None] | None = None,
) -> Outcome:
    """See `play`. `look` is shown every clear frame: its number, its cover, what it leaves uncovered (255), what is private."""
    grain = Grain(plan.seed)
    outcome = Outcome(plan)
    try:
        guard = commissioned(scene, disturbance, wrapping, polygons, grain, plan.seed, blind=blind)
    except MaskError as error:
        outcome.refused = str(error)
        return outcome
    clock = ManualClock()  # that of the film: a slow machine holds no picture for less
    mask = PrivacyMask("solid", clock=clock)
    judge = Judge(scene.height, disturbance, polygons)
    for n in range(-_WARM_UP, 0):
        clock.advance(1 / FPS)
        raw = raw_frame(wrapping.deliver(disturbance.picture(scene, 0, grain), n), n)
        judge.new_or_still(
            mask.apply(raw, guard.observe(raw))
        )  # the first frame of all may be held: it stands for the last of these
    viewer = EncodedAndDecoded(WIDTH, scene.height, FPS) if encoded else None
    for n in range(min(disturbance.frames, frames or disturbance.frames)):
        clock.advance(1 / FPS)
        luma = wrapping.deliver(disturbance.picture(scene, n, grain), n)
        raw = raw_frame(disturbance.delivered(luma, n), n, corrupt=wrapping.corrupt(n))
        cover = Cover.corrupt() if raw.corrupt else guard.observe(raw)  # as the node's own masking does
        outcome.frames += 1
        private = wrapping.private(n, judge.private)
        as_wanted = raw.planes.y.shape == private.shape
        shown = mask.apply(raw, cover)
        if viewer is not None and as_wanted and viewer.push(shown, private):
            outcome.leaks.append(n)
        if not judge.new_or_still(shown):
            outcome.leaks.append(n)
        if shown.opaque or shown.held:
            outcome.shut.append(n)
            outcome.held += shown.held
            continue
        outcome.clear += 1
        uncovered = judge.uncovered(cover) if as_wanted else np.full_like(private, 255)
        bare = int(np.count_nonzero(cv2.bitwise_and(uncovered, private)))
        if disturbance.elsewhere and n >= disturbance.event:
            bare = max(bare, 1)  # nothing of this view was ever validated: it may not be shown at all
        if bare:
            outcome.leaks.append(n)
            outcome.worst = max(outcome.worst, bare)
        if look is not None:
            look(n, cover, uncovered, private)
    if viewer is not None:
        if viewer.flush():
            outcome.leaks.append(disturbance.frames - 1)
        outcome.decoded = viewer.compared
    outcome.leaks = sorted(set(outcome.leaks))
    outcome.back_s = _back(outcome, disturbance)
    return outcome


class Judge:
    """Tells what is private and what a cover leaves bare, through the real privacy mask; what did not change is kept."""

    def __init__(self, height: int, disturbance: Disturbance, polygons: tuple[Polygon, ...]) -> None:
        self._height, self._disturbance, self._polygons = height, disturbance, polygons
        self._mask = PrivacyMask("solid")
        self._drawn: tuple[str, Plane] | None = None
        self._last: Plane | None = None
        self._truth: tuple[tuple[Slab, ...], Plane] | None = None

    def private(self, n: int) -> Plane:
        """255 where the picture of a number would show a private space had nothing been done to it. Read-only."""
        slabs = self._disturbance.slabs(n)
        if self._truth is None or not _same(self._truth[0], slabs):
            self._truth = slabs, self._disturbance.private(self._polygons, self._height, n)
        return self._truth[1]

    def new_or_still(self, shown: MaskedFrame) -> bool:
        """Whether a picture is closed, is a new one, or is to the sample the one before, but for the mark on it."""
        if shown.held:
            rows = mark_rows(self._height)
            same = self._last is not None and np.array_equal(self._last[: rows.start], shown.planes.y[: rows.start])
            return same and self._last is not None and np.array_equal(self._last[rows.stop :], shown.planes.y[rows.stop :])
        self._last = None if shown.opaque else shown.planes.y.copy()
        return True

    def uncovered(self, cover: Cover) -> Plane:
        """255 where a white picture is still white under the real mask. Read-only."""
        if self._drawn is None or self._drawn[0] != cover.digest:
            shown = self._mask.apply(white_frame(self._height), cover)
            self._drawn = cover.digest, np.asarray(cv2.inRange(shown.planes.y, 255, 255), np.uint8)
        return self._drawn[1]


def _same(a: tuple[Slab, ...], b: tuple[Slab, ...]) -> bool:
    """Whether the camera looked at the same place: poses are told apart as objects, not by their figures."""
    return len(a) == len(b) == 1 and len(a[0].exposed) == len(b[0].exposed) == 1 and a[0].exposed[0][1] is b[0].exposed[0][1]


def commissioned(
    scene: Scene,
    disturbance: Disturbance,
    wrapping: Wrapping,
    polygons: tuple[Polygon, ...],
    grain: Grain,
    seed: int,
    *,
    blind: bool,
) -> ViewGuard:
    """A guard with a reference taken over some seconds of the undisturbed view, as `vigie masks validate` takes it.

    `blind`: nothing that is fixed to the camera is found then; the guard has to find it out while it runs.
    """
    drawn = disturbance.polygons_drawn(polygons, scene.height)
    start = seed * 31 % 400
    numbers = [start + 23 * i for i in range(9)]
    lumas = [wrapping.reference(disturbance.reference_picture(scene, n, grain), n) for n in numbers]
    identity = ViewIdentity("0" * 64, "corpus", WIDTH, scene.height, 0)
    outlines = private_outlines([np.array(polygon) for polygon in drawn])
    excluded = () if blind else burnt_in(lumas, outlines, working_frame(WIDTH, scene.height))
    reference, verdict = ViewReference.take(lumas, drawn, identity, by="the corpus", on="", excluded=excluded)
    if not verdict.guardable:
        raise MaskError(verdict.reason)
    relocation = SteppedRelocation(reference.landmarks, delay_frames=_SEARCH_TAKES_FRAMES)
    return ViewGuard(reference, drawn, MARGIN, relocation, SteppedCopySearch(_SEARCH_TAKES_FRAMES))


def raw_frame(luma: Plane, n: int, *, corrupt: bool = False) -> RawFrame:
    """The picture as a camera hands it over, with colours derived from its luma."""
    half = np.asarray(cv2.resize(luma, (luma.shape[1] // 2, luma.shape[0] // 2), interpolation=cv2.INTER_AREA), np.uint8)
    time = FrameTime(n, n * NS // FPS, n * NS // FPS)
    return RawFrame(Planes(luma, half // 2 + 64, 192 - half // 2), time, corrupt=corrupt)


def white_frame(height: int) -> RawFrame:
    """A frame that shows what a mask leaves uncovered."""
    chroma = np.full((height // 2, WIDTH // 2), 128, np.uint8)
    raw = RawFrame(Planes(np.full((height, WIDTH), 255, np.uint8), chroma, chroma.copy()), FrameTime(0, 0, 0))
    analysis_luma(raw)
    return raw


def _back(outcome: Outcome, disturbance: Disturbance) -> float | None:
    """Seconds from the event to the first clear frame; 0 when it was followed at once; None when it stayed closed."""
    closed = set(outcome.shut)
    for n in range(disturbance.event, outcome.frames):
        if n not in closed:
            first_shut = next(
                (m for m in range(disturbance.event, min(disturbance.event + 25, outcome.frames)) if m in closed), None
            )
            if first_shut is None:
                return 0.0
            if n > first_shut:
                return (n - disturbance.event) / FPS
    return None
