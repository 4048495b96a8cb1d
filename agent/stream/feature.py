"""The stream as a feature: masked frames to the encoder, and what it makes to whoever takes it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component, ComponentState
from agent.base.feature import Feature
from agent.config.model import Config
from agent.operations import payloads
from agent.operations.operation import Operation
from agent.operations.verbs import VERBS
from agent.ports.event import EventSink
from agent.ports.video import Encoder
from agent.stream.broadcast import Broadcast, UnitSigner
from agent.stream.low_stream import LowStream
from agent.stream.masking import Masking
from agent.stream.pipeline import Detector, Illustrator, Pipeline, Viewer
from agent.stream.snapshot import SnapshotTaker, Still


class StreamFeature(Feature[Config]):
    """Owns the encoder, which `new_encoder` makes for each time the pipeline begins. `low`: where one may look in."""

    keys = ("encoding",)

    def __init__(
        self,
        masking: Masking,
        new_encoder: Callable[[], Encoder],
        clock: Clock,
        *,
        signer: UnitSigner | None,
        detectors: Sequence[Detector],
        viewers: Sequence[Viewer],
        events: EventSink,
        illustrator: Illustrator,
        low: LowStream | None = None,
    ) -> None:
        self.low = low
        self.broadcast = Broadcast(signer)
        self._snapshot = SnapshotTaker(clock)
        self.pipeline = Pipeline(
            masking,
            new_encoder,
            clock,
            broadcast=self.broadcast,
            detectors=detectors,
            viewers=(*viewers, self._snapshot, *((low,) if low is not None else ())),
            events=events,
            illustrator=illustrator,
        )

    def components(self) -> Sequence[Component]:
        return (self.pipeline,) if self.low is None else (self.low, self.pipeline)

    def summary(self) -> Mapping[str, Any]:
        return {"encoded": self.pipeline.encoded, "encoded_bytes": self.pipeline.encoded_bytes}

    def operations(self) -> Sequence[Operation]:
        return (Operation(VERBS["snapshot"], self._take),)

    def request_keyframe(self) -> None:
        """Make the next frame one that a decoder can start from; any thread."""
        self.pipeline.request_keyframe()

    def take_still(self, width: int, most_bytes: int) -> Still:
        """The next masked picture. CameraError when none comes, EncoderError when it does not fit; any thread."""
        return self._snapshot.take(width, most_bytes=most_bytes)

    @property
    def over(self) -> bool:
        """The last frame is through."""
        return self.pipeline.state is ComponentState.STOPPED

    def _take(self, request: payloads.Snapshot, _: object) -> payloads.Picture:
        still = self._snapshot.take(request.width)
        return payloads.Picture(
            at=still.at,
            opaque=still.opaque,
            reason=still.reason,
            mask_digest=still.mask_digest,
            jpeg=base64.b64encode(still.jpeg).decode("ascii"),
        )
