"""The low stream: the masked picture once more, small and at few pictures a second, while somebody on a weak line asks for it.

1. It is made of masked frames, as every viewer's picture is: what a mask, a cover or a closed camera hides is hidden here.
2. It has an encoder and a chain of signatures of its own; nothing of it is recorded.
3. The pipeline never waits for it: two frames wait at most, and what finds no room is counted in `dropped`.
4. Nobody asks: no encoder, no memory, no work. No frames come: none goes out, and the last ones get their signature.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.errors import EncoderError
from agent.base.queues import BoundedQueue
from agent.mask.privacy_mask import MaskedFrame, reduced
from agent.picture.access_unit import AccessUnit
from agent.ports.video import Encoder
from agent.stream.broadcast import Broadcast, UnitSigner
from agent.stream.thinning import Thinning

log = logging.getLogger(__name__)

FPS: Final = 5.0
SPARSE_FPS: Final = 1.0
_WAITING: Final = 2
_LOOK_S: Final = 0.5
_SILENCE_NS: Final = 3 * NS
"""Longer than between two frames at SPARSE_FPS."""


class LowStream(Component):
    """`show` belongs to the pipeline's thread, `want` and `request_keyframe` to any. Not critical: the node films without it."""

    critical = False

    def __init__(self, new_encoder: Callable[[], Encoder], signer: UnitSigner | None, clock: Clock) -> None:
        super().__init__("low stream", clock)
        self.broadcast = Broadcast(signer)
        self.encoded = 0
        self.encoded_bytes = 0
        self.dropped = 0
        self._new_encoder = new_encoder
        self._encoder: Encoder | None = None
        self._frames: BoundedQueue[MaskedFrame] = BoundedQueue(_WAITING)
        self._thinning = Thinning()
        self._asked = threading.Event()

    @property
    def is_wanted(self) -> bool:
        """Whether anybody asks for it."""
        return bool(self._thinning.most_fps)

    def want(self, fps: float) -> None:
        """So many pictures a second from now on; 0: nobody wants any."""
        self._thinning.most_fps = fps
        if fps:
            self._asked.set()

    def request_keyframe(self) -> None:
        """Make the next frame one that a decoder can start from."""
        encoder = self._encoder
        if encoder is not None:
            encoder.request_keyframe()

    def show(self, frame: MaskedFrame) -> None:
        """Take this frame along if it is due; a copy, the frame itself is free on return."""
        if self._encoder is None or not self.is_wanted or self._thinning.leaves_out(frame.time.monotonic_ns):
            return
        if len(self._frames) >= _WAITING or not self._frames.offer(reduced(frame)):
            self.dropped += 1

    def work(self) -> None:
        """Until stopped."""
        while not self.stopping.is_set():
            self.progressed()
            if self.is_wanted:
                self._encode_while_wanted()
            else:
                self._asked.wait(_LOOK_S)
                self._asked.clear()

    def wake(self) -> None:
        self._asked.set()

    def _encode_while_wanted(self) -> None:
        encoder = self._new_encoder()
        self.broadcast.begin(lambda: encoder.format)
        self._encoder = encoder
        heard_ns, is_open = self.clock.monotonic_ns(), False
        try:
            while self.is_wanted and not self.stopping.is_set():
                frame = self._frames.get(_LOOK_S)
                now_ns = self.clock.monotonic_ns()
                if frame is not None:
                    self._hand_out(encoder.encode(frame))
                    heard_ns, is_open = now_ns, True
                elif is_open and now_ns - heard_ns >= _SILENCE_NS:
                    self.broadcast.close_open_gop()
                    is_open = False
                self.progressed()
        finally:
            self._encoder = None
            self._end(encoder)

    def _end(self, encoder: Encoder) -> None:
        try:
            self._hand_out(encoder.flush())
        except EncoderError as error:
            log.warning("the last frames of the low stream could not be encoded: %s", error)
        self.broadcast.finish()
        while self._frames.get(0) is not None:
            pass  # what waited is of before: nobody wants it any more

    def _hand_out(self, units: Sequence[AccessUnit]) -> None:
        for unit in units:
            self.encoded += 1
            self.encoded_bytes += self.broadcast.publish(unit)
