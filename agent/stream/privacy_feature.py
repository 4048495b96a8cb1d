"""The privacy masks as a feature: guard, mask, and the validation of a view."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from agent.base.clock import Clock
from agent.base.errors import MaskError
from agent.base.feature import Feature, Setting
from agent.base.phrase import say
from agent.config.model import Config
from agent.journal.entry import Act, Journal
from agent.mask.privacy_mask import PrivacyMask
from agent.operations.local import MasksProgress, MasksValidate
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.picture.caption import Caption
from agent.ports.health import PrivacyHealth, ViewHealth
from agent.stream.capture import Capture
from agent.stream.masking import Masking
from agent.stream.shutter import Shutter
from agent.view.guard import Guard, guard_for
from agent.view.live_validation import LiveValidation
from agent.view.store import Sign, Verifier


class PrivacyFeature(Feature[Config]):
    """`in_force` tells the configuration the node runs by; `verifier` and `sign` are of the node's own key."""

    keys = ("privacy",)

    def __init__(
        self,
        config: Config,
        capture: Capture,
        verifier: Verifier,
        sign: Sign,
        journal: Journal,
        clock: Clock,
        *,
        in_force: Callable[[], Config],
        shutter: Shutter | None = None,
    ) -> None:
        self._journal = journal
        self._verifier = verifier
        self._begun = config
        self._clock = clock
        self._shutter = shutter
        self._masks = len(config.privacy.mask)
        self.validation = LiveValidation(in_force, config.node.state_dir, sign, journal, clock)
        self.masking = Masking(capture, *self._made(config), self.validation, shutter)

    def settings(self) -> Sequence[Setting[Config]]:
        consequence = "the masks change with the next picture; it is opaque until `vigie masks validate` has seen them"
        return (Setting(("privacy",), consequence, self._change_masks),)

    def enter(self, new: Config, changed: frozenset[str]) -> None:
        """That masks changed; a statement was entered before it opened the picture."""
        if changed and new.privacy.none_needed is None:
            self._journal.enter(Act.MASKS_CHANGED, "reload", {"masks": len(new.privacy.mask)})

    def health(self) -> Mapping[str, Any]:
        """What lay on the last frame."""
        cover, shown = self.masking.cover, self.masking.shown
        return {
            "privacy": PrivacyHealth(
                state="opaque" if shown.opaque else "masked",
                reason=shown.reason,
                held=self.masking.held,
                masks=self._masks,
                mask_digest=cover.digest,
                view=ViewHealth(
                    state=cover.state.value, shift_px=round(cover.shift_px, 2), uncertainty_px=round(cover.uncertainty_px, 2)
                ),
            )
        }

    def sentence(self) -> str:
        shown = self.masking.shown
        return f"closed ({shown.reason})" if shown.opaque else "masked"

    def summary(self) -> Mapping[str, Any]:
        return {"masked": self.masking.masked, "opaque": self.masking.opaque, "held": self.masking.held}

    def operations(self) -> Sequence[Operation]:
        def validate(asked: MasksValidate, _: object) -> Mapping[str, Any]:
            if self._shutter is not None and (dark := self._shutter.dark()):
                raise MaskError(say("the camera is closed: {dark}", dark=dark), remedy=say("see `vigie deploy show`"))
            return self.validation.answer({"by": asked.by, "lift": asked.lift, "nudge": asked.nudge})

        def progress(_asked: MasksProgress, _: object) -> Mapping[str, Any]:
            return self.validation.progress({})

        return (Operation(VERBS["masks-validate"], validate), Operation(VERBS["masks-progress"], progress))

    def _made(self, config: Config) -> tuple[Guard, PrivacyMask]:
        """Guard and mask; neither ever fails: what is wrong closes the picture and says why.

        Camera and caption stay those that the node began with: their keys wait for a restart.
        """
        begun = replace(self._begun, privacy=config.privacy)
        caption = Caption(begun.node.id, begun.encoding.caption, begun.encoding.time_zone)
        mask = PrivacyMask(begun.privacy.fill, caption, self._clock)
        return guard_for(begun, begun.node.state_dir, self._verifier, self._clock), mask

    def _change_masks(self, new: Config) -> None:
        """Other masks close the picture until they are validated, at once; a statement opens it, so its entry comes first."""
        statement = new.privacy.none_needed
        if statement is not None:
            self._journal.enter(Act.MASKS_CHANGED, statement.by, {"masks": 0, "none needed": statement.why})
        self.masking.replace(*self._made(new))
        self._masks = len(new.privacy.mask)
