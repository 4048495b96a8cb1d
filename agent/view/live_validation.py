"""`vigie masks validate` while the daemon holds the camera: its own frames are looked at, before they are masked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.base.clock import Clock
from agent.base.errors import CameraError, MaskError
from agent.base.phrase import say
from agent.config.model import Config
from agent.journal.entry import Journal
from agent.view.commissioning import (
    PATIENCE_S,
    TOO_FEW,
    ViewSample,
    checked_name,
    enter_nudge,
    may_be_validated,
    push_of,
    validate_view,
)
from agent.view.nudge import NudgeResult
from agent.view.push import Push
from agent.view.store import Sign

if TYPE_CHECKING:
    from agent.picture.frame import RawFrame


class LiveValidation:
    """The pipeline thread offers, a control thread waits."""

    def __init__(self, config: Callable[[], Config], state_dir: Path, sign: Sign, journal: Journal, clock: Clock) -> None:
        self._config, self._state_dir, self._sign, self._journal, self._clock = config, state_dir, sign, journal, clock
        self._one_at_a_time = threading.Lock()
        self._wanting: ViewSample | Push | None = None
        self._complete = threading.Event()
        self._words = ""

    def offer(self, frame: RawFrame) -> None:
        """Pipeline thread, before the frame is masked: two comparisons when nobody validates."""
        wanting = self._wanting
        if wanting is not None and wanting.offer(frame):
            self._wanting = None
            self._complete.set()

    def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The control verb `masks-validate`: `{"by": NAME, "lift": bool, "nudge": bool}`.

        Raises MaskError, CameraError, RegisterError.
        """
        named = request.get("by")
        by = checked_name(named if isinstance(named, str) else "")
        lift, nudge = request.get("lift") is True, request.get("nudge") is True
        if not self._one_at_a_time.acquire(blocking=False):
            raise MaskError(say("another validation is under way"), remedy=say("wait for it to end"))
        try:
            config = self._config()
            may_be_validated(config, self._state_dir, lift=lift)
            if nudge:
                enter_nudge(self._journal, config, by)
            sample = self._sample()
            pushed = self._pushed(sample, config) if nudge else None
            return validate_view(
                sample, config, self._state_dir, self._sign, self._journal, by=by, clock=self._clock, lift=lift, nudge=pushed
            ).document()
        finally:
            self._wanting = None
            self._words = ""
            self._one_at_a_time.release()

    def progress(self, _request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The control verb `masks-progress`: what to do now, in words; empty when nobody validates."""
        wanting = self._wanting
        return {"words": wanting.words if isinstance(wanting, ViewSample) else self._words}

    def _sample(self) -> ViewSample:
        sample = ViewSample()
        self._complete.clear()
        self._wanting = sample
        if not self._clock.wait(self._complete, PATIENCE_S):
            raise CameraError(TOO_FEW, remedy=say("see `vigie doctor`"))
        return sample

    def _pushed(self, sample: ViewSample, config: Config) -> NudgeResult:
        push = push_of(sample, config, self._tell)
        self._wanting = push
        return push.watched(self._clock)

    def _tell(self, words: str) -> None:
        self._words = words
