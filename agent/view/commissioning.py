"""Commissioning a view: look at it for a few seconds, judge it, and put its signed reference in place."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from agent.base.clock import NS, Clock, rfc3339
from agent.base.errors import CameraError, MaskError, RegisterError
from agent.base.phrase import say
from agent.config.model import Config
from agent.journal.entry import Act, Fact, Journal
from agent.picture.analysis_luma import analysis_luma
from agent.picture.cover import Corners
from agent.picture.planes import Plane
from agent.view.burnt_in import burnt_in
from agent.view.cover_geometry import private_outlines
from agent.view.excluded_area import ExcludedArea, Ground
from agent.view.guard import view_identity
from agent.view.nudge import Nudge, NudgeResult
from agent.view.push import Push, Tell
from agent.view.reference import ViewReference, blanked, temporal_median, working_frame
from agent.view.store import Sign, ViewStore
from agent.view.verdict import ViewVerdict

if TYPE_CHECKING:
    from agent.picture.frame import RawFrame
    from agent.ports.video import Camera

PICTURES = 9
EVERY_S = 0.7
"""Nine frames over some six seconds: a walker leaves his place, a parked car does not."""
PATIENCE_S = 75.0
"""More than a camera takes that sends a keyframe a minute."""
TOO_FEW = say("the camera does not deliver enough pictures to validate the view")
DAMAGED = "the camera's pictures arrive damaged: of {} in {:.0f} s too few were sound to validate the view"
SHORTEST_NAME, LONGEST_NAME = 2, 200


class ViewSample:
    """Pictures of one view, spaced in time. They are unmasked: kept in memory, for as long as the commissioning takes.

    With the daemon running its pipeline thread calls `offer` before it masks the frame; else `watch` reads the camera.
    """

    def __init__(self, pictures: int = PICTURES, every_s: float = EVERY_S) -> None:
        self._wanted, self._every_ns = pictures, round(every_s * NS)
        self._next_ns: int | None = None
        self._damaged = 0
        self.lumas: list[Plane] = []
        self.whole: list[Plane] = []

    def offer(self, frame: RawFrame) -> bool:
        """Keep the frame's luma if it is due and came undamaged; True once there are enough."""
        now_ns = frame.time.monotonic_ns
        if frame.corrupt:
            self._damaged += 1
        elif not self.complete and (self._next_ns is None or now_ns >= self._next_ns):
            self._next_ns = now_ns + self._every_ns
            self.lumas.append(analysis_luma(frame).copy())
            self.whole.append(frame.planes.y.copy())
        return self.complete

    @property
    def complete(self) -> bool:
        return len(self.lumas) >= self._wanted

    def watch(self, camera: Camera, clock: Clock, tell: Tell = lambda _: None) -> ViewSample:
        """Fill the sample from an open camera. Raises CameraError when it does not deliver enough, or undamaged, in time."""
        until_ns = clock.monotonic_ns() + round(PATIENCE_S * NS)
        while not self.complete:
            if clock.monotonic_ns() > until_ns:
                raise self._too_few()
            frame = camera.read(1.0)
            if frame is not None:
                self.offer(frame)
                frame.release()
                tell(self.words)
        return self

    def _too_few(self) -> CameraError:
        if self._damaged:
            return CameraError(
                DAMAGED.format(self._damaged + len(self.lumas), PATIENCE_S),
                remedy=say('check cable and switch, or set [camera] transport = "tcp"'),
            )
        return CameraError(TOO_FEW, remedy=say("see `vigie doctor`"))

    @property
    def words(self) -> str:
        """For the technician who waits."""
        damaged = say(" ({number} arrived damaged)", number=self._damaged) if self._damaged else ""
        return say(
            "leave the camera alone: picture {taken} of {wanted}{damaged}",
            taken=len(self.lumas),
            wanted=self._wanted,
            damaged=damaged,
        )

    def still(self) -> Plane:
        """The commissioning still, luma of the full frame: what stands still. For the drawing, which fills the masks."""
        return temporal_median(self.whole)


def checked_name(by: str) -> str:
    """The name of whoever validates or looks, without blanks around it. MaskError when it names nobody or cannot be kept."""
    name = by.strip()
    if not name:
        raise MaskError(say("nobody is named"), remedy=say("say who answers for it: --by NAME"))
    if len(name) > LONGEST_NAME:
        raise MaskError(
            say("the name has {count} letters, {most} at most are kept", count=len(name), most=LONGEST_NAME),
            remedy=say("give a shorter --by NAME"),
        )
    if not name.isprintable():
        raise MaskError(
            say("the name holds characters that cannot be printed: {name!r}", name=name),
            remedy=say("give --by NAME in plain letters"),
        )
    if len(name) < SHORTEST_NAME:
        raise MaskError(
            say("the name {name!r} is too short", name=name),
            remedy=say("give at least {least} letters: --by NAME", least=SHORTEST_NAME),
        )
    return name


def may_be_validated(config: Config, state_dir: Path, *, lift: bool) -> None:
    """MaskError when there is nothing to guard, or when the frame was closed (a unit carried elsewhere) and `lift` does not
    say that the technician knows."""
    if not config.privacy.mask:
        raise MaskError(
            say("no mask is configured: there is nothing to validate"), remedy=say("write [[privacy.mask]] tables first")
        )
    if (closed := ViewStore(state_dir).closed()) and not lift:
        raise MaskError(
            say("the picture was closed: {closed}", closed=closed), remedy=say("check that the masks fit, then add --lift")
        )


def enter_nudge(journal: Journal, config: Config, by: str) -> None:
    """Before the camera is opened for it, or before the daemon's frames are looked at. Raises RegisterError."""
    journal.enter(Act.VIEW_NUDGED, by, {"masks": view_identity(config).masks})


def push_of(sample: ViewSample, config: Config, tell: Tell) -> Push:
    """A push to be compared with the view as it was sampled at rest, without its private samples."""
    outlines = _private(config)
    still = blanked(temporal_median(sample.lumas), outlines)
    return Push(Nudge(still, outlines, working_frame(config.camera.width, config.camera.height)), tell)


def validate_view(
    sample: ViewSample,
    config: Config,
    state_dir: Path,
    sign: Sign,
    journal: Journal,
    *,
    by: str,
    clock: Clock,
    lift: bool = False,
    nudge: NudgeResult | None = None,
) -> ViewVerdict:
    """Make the sampled view the one this configuration's masks are valid for: take its reference, sign it, put it in place.

    `nudge` is what a push of the camera showed; without one, what is fixed to the camera is looked for in the sample. Entered
    in the register first: no reference comes into force without its entry. Raises MaskError, and leaves what was there, when
    the view cannot be guarded, when the push showed nothing, and as `may_be_validated`; RegisterError, the same, when the
    register refuses.
    """
    by = checked_name(by)
    may_be_validated(config, state_dir, lift=lift)
    if nudge is not None and nudge.fault:
        raise MaskError(nudge.fault, remedy=nudge.remedy)
    polygons = [mask.polygon for mask in config.privacy.mask]
    reference, verdict = ViewReference.take(
        sample.lumas,
        polygons,
        view_identity(config),
        by=by,
        on=rfc3339(clock.wall_ns()),
        excluded=_fixed_to_camera(sample, config, nudge),
        patchable=nudge.patchable if nudge else None,
    )
    if not verdict.guardable:
        raise MaskError(say("this view cannot be guarded: {reason}", reason=verdict.reason), remedy=verdict.remedy)
    verdict = structs.replace(verdict, nudged=nudge is not None, rests_off=nudge.rests_off if nudge else 0.0)
    facts: dict[str, Fact] = {"masks": reference.identity.masks}
    found: dict[str, Fact] = {"patches": verdict.patches, "cells": verdict.cells, "excluded": len(reference.excluded)}
    journal.enter(Act.VIEW_VALIDATED, by, facts | found | {"nudged": verdict.nudged, "lifted": lift})
    store = ViewStore(state_dir)
    try:
        store.save(reference, sign)
        store.lift()
    except MaskError as error:
        with suppress(RegisterError):  # its alarm is raised; the disk that refused the reference may well refuse this too
            journal.enter(Act.VIEW_VALIDATED, by, facts | {"not in force": error.what})
        raise
    return verdict


def found_at_rest(sample: ViewSample, config: Config) -> tuple[ExcludedArea, ...]:
    """What the configuration names as fixed to the camera, and what the sample shows to be."""
    return _fixed_to_camera(sample, config, None)


def _fixed_to_camera(sample: ViewSample, config: Config, nudge: NudgeResult | None) -> tuple[ExcludedArea, ...]:
    """After a push what ticks is still worth knowing; what only looked burnt in is known better."""
    found = burnt_in(sample.whole, _private(config), working_frame(config.camera.width, config.camera.height))
    named = ExcludedArea.named(config.privacy.overlay)
    if nudge is None:
        return (*named, *found)
    return (*named, *nudge.areas, *(area for area in found if area.ground is Ground.TICKS))


def _private(config: Config) -> tuple[Corners, ...]:
    return private_outlines([np.array(mask.polygon) for mask in config.privacy.mask])
