"""From one encoder to whoever takes the stream: the recorder first, then every live viewer.

1. Nothing leaves unsigned: the signer stands at the only way in. (A node that signs nothing has none.)
2. Signed and handed out in one: a closing signature stands, for every reader, behind the frames it speaks for.
3. The encoder never waits: a reader that is slow loses frames, its own alone, up to the next keyframe that finds room.
4. A reader begins at a keyframe, and again after each gap; it knows how many frames it missed.
5. A closing signature is no frame: it has a call of its own, and goes only to readers that have the frame before it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Protocol, Self

from msgspec import Struct

from agent.base.errors import EncoderError
from agent.base.phrase import say
from agent.base.queues import BoundedQueue
from agent.picture.access_unit import AccessUnit, VideoFormat

FRAMES: Final = 256
"""Ten seconds at 25 fps: longer than any network pauses that anybody wants to watch through."""
_ITEMS_A_FRAME: Final = 2
"""A closing signature is taken where no further frame would be: one at most follows each frame."""


class UnitSigner(Protocol):
    """Adds the signatures of ONVIF Media Signing to an access unit."""

    def process(self, unit: AccessUnit) -> AccessUnit: ...

    def finish(self) -> AccessUnit | None:
        """The signature over what has none yet; None when nothing is left."""
        ...

    def pause(self) -> AccessUnit | None:
        """The same for a stream that falls silent and may go on."""
        ...


class Listener(Protocol):
    """Takes every unit in order, with its own account of what it loses, and never blocks."""

    def offer(self, unit: AccessUnit) -> object:
        """The next frame, signed."""
        ...

    def offer_closing(self, closing: AccessUnit) -> object:
        """The signature over the frames up to the last one."""
        ...


class BroadcastFrame(Struct, frozen=True):
    """One frame as a reader gets it. `missed`: how many it lost since the one before; then this is a keyframe."""

    unit: AccessUnit
    missed: int = 0


class Closing(Struct, frozen=True):
    """The signature over the frames up to the one before it."""

    unit: AccessUnit


class BroadcastReader:
    """One viewer's bounded share of the stream. `get`, `close`: the viewer's thread; `missed` counts frames: any thread.

    Leave with `close`, or use it in a `with`.
    """

    def __init__(self, broadcast: Broadcast, frames: int) -> None:
        self._broadcast = broadcast
        self._frames = frames
        self._queue: BoundedQueue[BroadcastFrame | Closing] = BoundedQueue(_ITEMS_A_FRAME * frames)
        self._skipping = True  # until the first keyframe
        self._lost = 0  # since the last frame that was taken
        self._begun = False
        self._on_item: Callable[[], None] | None = None
        self.missed = 0

    def on_item(self, call: Callable[[], None]) -> None:
        """Call it, on the broadcast's thread, each time there is something to `get`; it must neither block nor raise."""
        self._on_item = call

    def offer(self, unit: AccessUnit) -> bool:
        """The broadcast's thread. False when this reader misses the frame."""
        full = len(self._queue) >= self._frames
        waits = self._skipping and not unit.keyframe
        taken = not full and not waits and self._queue.offer(BroadcastFrame(unit, self._lost))
        self._skipping = not taken
        if taken:
            self._begun, self._lost = True, 0
        elif self._begun:  # what was sent before it came it has not missed
            self._lost += 1
            self.missed += 1
        return self._told(taken)

    def offer_closing(self, closing: AccessUnit) -> bool:
        """The broadcast's thread. What speaks for frames that this reader does not have is nothing to it."""
        return self._told(not self._skipping and self._queue.offer(Closing(closing)))

    def _told(self, taken: bool) -> bool:
        if taken and self._on_item is not None:
            self._on_item()
        return taken

    def get(self, timeout_s: float) -> BroadcastFrame | Closing | None:
        """The next frame or closing signature; None when none came in time. Raises Closed after the last one."""
        return self._queue.get(timeout_s)

    def end(self) -> None:
        """Nothing comes any more; what is there can still be taken. Any thread."""
        self._queue.close()

    def close(self) -> None:
        """Leave."""
        self._broadcast.leave(self)
        self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Broadcast:
    """The encoder's thread calls `begin`, `publish` and `finish`; any thread the rest."""

    def __init__(self, signer: UnitSigner | None = None) -> None:
        self._signer = signer
        self._handing_out = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._format: Callable[[], VideoFormat] | None = None

    @property
    def format(self) -> VideoFormat:
        """What the stream's units are. EncoderError before the first one."""
        if self._format is None:
            raise EncoderError(say("there is no stream yet"))
        return self._format()

    def begin(self, format: Callable[[], VideoFormat]) -> None:
        """Another encoder's units come from now on; `format` is asked once the first of them is here."""
        self._format = format

    def attach(self, listener: Listener) -> None:
        """Give it everything from the next unit on."""
        with self._handing_out:
            self._listeners = (*self._listeners, listener)

    def subscribe(self, frames: int = FRAMES) -> BroadcastReader:
        """A reader that holds at most so many frames; it begins with the next keyframe."""
        reader = BroadcastReader(self, frames)
        self.attach(reader)
        return reader

    def leave(self, listener: Listener) -> None:
        """Give it nothing more; idempotent."""
        with self._handing_out:
            self._listeners = tuple(each for each in self._listeners if each is not listener)

    def publish(self, unit: AccessUnit) -> int:
        """Sign one unit and hand it out; how many bytes it has then."""
        with self._handing_out:
            signed = self._signer.process(unit) if self._signer is not None else unit
            for listener in self._listeners:
                listener.offer(signed)
        return len(signed.data)

    def close_open_gop(self) -> bool:
        """Sign what has no signature yet, and hand out the closing signature; False when nothing waits.

        Whoever writes a frame for good asks first: a signature that comes afterwards has no place any more.
        """
        if self._signer is None:
            return False
        with self._handing_out:
            return self._close(self._signer.pause())

    def finish(self) -> None:
        """The stream ends, or is begun anew: the last frames get their signature."""
        if self._signer is not None:
            with self._handing_out:
                self._close(self._signer.finish())

    def _close(self, closing: AccessUnit | None) -> bool:
        if closing is not None:
            for listener in self._listeners:
                listener.offer_closing(closing)
        return closing is not None
