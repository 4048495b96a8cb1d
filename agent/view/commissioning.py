"""Commissioning a view: look at it for a few seconds, judge it, and put its signed reference in place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.base.clock import NS, Clock, rfc3339
from agent.base.errors import CameraError, JournalError, MaskError
from agent.config.model import Config
from agent.journal.entry import Act, Fact, Journal
from agent.picture.analysis_luma import analysis_luma
from agent.picture.planes import Plane
from agent.view.excluded_area import ExcludedArea
from agent.view.guard import view_identity
from agent.view.reference import ViewReference, temporal_median
from agent.view.store import Sign, ViewStore
from agent.view.verdict import Verdict

if TYPE_CHECKING:
    from agent.picture.frame import RawFrame
    from agent.ports.video import Camera

PICTURES = 9
EVERY_S = 0.7
"""Nine pictures over some six seconds: a walker leaves his place, a parked car does not."""
_PATIENCE_S = 30.0
LONGEST_NAME = 200


class ViewSample:
    """Pictures of one view, spaced in time. They are unmasked: kept in memory, for as long as the commissioning takes.

    With the daemon running its pipeline thread calls `offer` before it masks the frame; else `watch` reads the camera.
    """

    def __init__(self, pictures: int = PICTURES, every_s: float = EVERY_S) -> None:
        self._wanted, self._every_ns = pictures, round(every_s * NS)
        self._next_ns: int | None = None
        self.lumas: list[Plane] = []
        self._whole: list[Plane] = []

    def offer(self, frame: RawFrame) -> bool:
        """Keep the frame's luma if it is due; True once there are enough."""
        now_ns = frame.time.monotonic_ns
        if not self.complete and (self._next_ns is None or now_ns >= self._next_ns):
            self._next_ns = now_ns + self._every_ns
            self.lumas.append(analysis_luma(frame).copy())
            self._whole.append(frame.planes.y.copy())
        return self.complete

    @property
    def complete(self) -> bool:
        return len(self.lumas) >= self._wanted

    def watch(self, camera: Camera, clock: Clock) -> ViewSample:
        """Fill the sample from an open camera. Raises CameraError when it does not deliver enough in time."""
        until_ns = clock.monotonic_ns() + round(_PATIENCE_S * NS)
        while not self.complete:
            frame = camera.read(1.0)
            if frame is not None:
                self.offer(frame)
                frame.release()
            elif clock.monotonic_ns() > until_ns:
                raise CameraError("the camera does not deliver enough pictures to validate the view", remedy="see `vigie doctor`")
        return self

    def still(self) -> Plane:
        """The commissioning still, luma of the full picture: what stands still. For the drawing, which fills the masks."""
        return temporal_median(self._whole)


def checked_name(by: str) -> str:
    """The name of whoever validates or looks, without blanks around it. MaskError when it names nobody or cannot be kept."""
    name = by.strip()
    if not name:
        raise MaskError("nobody is named", remedy="say who answers for it: --by NAME")
    if len(name) > LONGEST_NAME:
        raise MaskError(f"the name has {len(name)} letters, {LONGEST_NAME} at most are kept", remedy="give a shorter --by NAME")
    if not name.isprintable():
        raise MaskError(f"the name holds characters that cannot be printed: {name!r}", remedy="give --by NAME in plain letters")
    return name


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
) -> Verdict:
    """Make the sampled view the one this configuration's masks are valid for: take its reference, sign it, put it in place.

    Entered in the register first: no reference comes into force without its entry. Raises MaskError, and leaves what was
    there, when the view cannot be guarded, when there is nothing to guard, or when the picture was closed (a unit carried
    elsewhere) and `lift` does not say that the technician knows; JournalError, the same, when the register refuses.
    """
    by = checked_name(by)
    store = ViewStore(state_dir)
    if not config.privacy.mask:
        raise MaskError("no mask is configured: there is nothing to validate", remedy="write [[privacy.mask]] tables first")
    if store.closed() and not lift:
        raise MaskError(f"the picture was closed: {store.closed()}", remedy="check that the masks fit, then add --lift")
    reference, verdict = ViewReference.take(
        sample.lumas,
        [mask.polygon for mask in config.privacy.mask],
        view_identity(config),
        by=by,
        on=rfc3339(clock.wall_ns()),
        excluded=ExcludedArea.named(config.privacy.overlay),
    )
    if not verdict.guardable:
        raise MaskError(
            f"this view cannot be guarded: {verdict.reason}",
            remedy="take in more of what stands still (edges of buildings, kerbs, signs), focus, and validate again",
        )
    facts: dict[str, Fact] = {"masks": reference.identity.masks}
    journal.enter(Act.VIEW_VALIDATED, by, facts | {"patches": verdict.patches, "cells": verdict.cells, "lifted": lift})
    try:
        store.save(reference, sign)
        store.lift()
    except MaskError as error:
        with suppress(JournalError):  # its alarm is raised; the disk that refused the reference may well refuse this too
            journal.enter(Act.VIEW_VALIDATED, by, facts | {"not in force": error.what})
        raise
    return verdict


class LiveValidation:
    """`vigie masks validate` while the daemon holds the camera: the pipeline thread offers, a control thread waits."""

    def __init__(self, config: Callable[[], Config], state_dir: Path, sign: Sign, journal: Journal, clock: Clock) -> None:
        self._config, self._state_dir, self._sign, self._journal, self._clock = config, state_dir, sign, journal, clock
        self._one_at_a_time = threading.Lock()
        self._sample: ViewSample | None = None
        self._complete = threading.Event()

    def offer(self, frame: RawFrame) -> None:
        """Pipeline thread, before the frame is masked: two comparisons when nobody validates."""
        sample = self._sample
        if sample is not None and sample.offer(frame):
            self._sample = None
            self._complete.set()

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The control verb `masks-validate`: `{"by": NAME, "lift": bool}`. Raises MaskError, CameraError, JournalError."""
        named = request.get("by")
        by = checked_name(named if isinstance(named, str) else "")
        lift = request.get("lift") is True
        if not self._one_at_a_time.acquire(blocking=False):
            raise MaskError("another validation is under way", remedy="wait for it to end")
        try:
            sample = ViewSample()
            self._complete.clear()
            self._sample = sample
            if not self._clock.wait(self._complete, _PATIENCE_S):
                raise CameraError("the camera does not deliver enough pictures to validate the view", remedy="see `vigie doctor`")
            verdict = validate_view(
                sample, self._config(), self._state_dir, self._sign, self._journal, by=by, clock=self._clock, lift=lift
            )
            return verdict.document()
        finally:
            self._sample = None
            self._one_at_a_time.release()
