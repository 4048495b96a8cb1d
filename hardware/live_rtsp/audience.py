"""Everybody who plays: one loop takes the frames of all, and what blocks is done beside it.

1. No frame before the house has let the viewer in, and none after the viewer's end.
2. The encoder's thread only rings: it never waits for a viewer.
3. Whoever ends is told to the house, once, with the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from agent.base.clock import Clock
from agent.base.visitors import Visitors
from agent.ports.live import Gate, Look, Transport
from hardware.live_rtsp.datagrams import DatagramPorts
from hardware.live_rtsp.packets import Packetiser
from hardware.live_rtsp.settings import RtspSettings
from hardware.live_rtsp.viewer import RtspViewer

T = TypeVar("T")
PATIENCE_S: Final = 10.0
"""A connection that plays nothing has so long to bring its next request whole."""
_MOST_ROUNDS: Final = 512


class Audience:
    """Lives in the event loop that makes it; `wake` and `call` may come from any thread."""

    def __init__(self, gate: Gate, settings: RtspSettings, clock: Clock, ports: DatagramPorts | None) -> None:
        self.gate, self.settings, self.clock, self.ports = gate, settings, clock, ports
        self.visitors = Visitors(2 * settings.max_viewers + 8, PATIENCE_S, clock)
        self.packetiser = Packetiser(secrets.randbits(32), secrets.randbits(32))
        self.number = secrets.randbits(31)
        self._loop = asyncio.get_running_loop()
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="live rtsp beside")
        self._seats: dict[RtspViewer, Callable[[str], None]] = {}
        self._listening: dict[RtspViewer, tuple[str, int]] = {}  # by UDP; two behind one address may name the same port
        self._fresh: list[RtspViewer] = []
        self._rung = False

    async def ask(self, question: Callable[[], T]) -> T:
        """What the house says to a question that may take as long as a line of the register."""
        return await self._loop.run_in_executor(self._beside, question)

    async def enter(self, lease: str, transport: Transport, address: str) -> Look:
        """LookRefused when the house does not let them in. A look that nobody waits for any more is closed."""
        asked = self._beside.submit(self.gate.enter, lease, transport, address)
        try:
            return await asyncio.wrap_future(asked)
        except asyncio.CancelledError:
            asked.add_done_callback(_close)
            raise

    def seat(self, viewer: RtspViewer, ended: Callable[[str], None], control: tuple[str, int] | None) -> None:
        """It gets frames from now on; `ended` hears why it gets no more. `control`: where its reports come from by UDP."""
        self._seats[viewer] = ended
        if control is not None:
            self._listening[viewer] = control
        viewer.look.on_over(lambda: self.call(lambda: self._over(viewer)))
        viewer.look.on_frame(lambda: self._ring(viewer))
        viewer.look.request_keyframe()
        self._fresh.append(viewer)
        self.wake()

    def unseat(self, viewer: RtspViewer, why: str) -> None:
        """It gets nothing more, and the register hears why. Idempotent."""
        if self._seats.pop(viewer, None) is not None:
            self._listening.pop(viewer, None)
            self._beside.submit(viewer.look.close, why)

    def wake(self) -> None:
        """There is something to take."""
        if not self._rung:
            self._rung = True
            self.call(self._hand_out)

    def call(self, what: Callable[[], None]) -> None:
        """Do it in the loop; nothing once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what)

    def hear(self, host: str, port: int, said: bytes) -> None:
        """A report came by UDP: from whoever came last, where several named that port."""
        viewer = next((each for each, place in reversed(self._listening.items()) if place == (host, port)), None)
        if viewer is not None and (why := viewer.hear(said)):
            self._end(viewer, why)

    def tick(self) -> None:
        """About once a second."""
        self.visitors.show_out_the_idle()
        for viewer in tuple(self._seats):
            viewer.tick()
            self._judge(viewer)
        for viewer in tuple(self._listening):
            if viewer.is_silent:
                self._end(viewer, "no sign of life from the viewer for 60 s")
        self._fresh += self._seats
        self.wake()

    def close(self) -> None:
        """The register has heard of every end when this returns."""
        for viewer in tuple(self._seats):
            self._end(viewer, "the node stops")
        self._beside.shutdown()

    def _hand_out(self) -> None:
        """A frame for each, round by round: all viewers of a unit share its packets."""
        self._rung = False
        due, self._fresh = self._fresh, []  # what came before they could be rung for
        due += [viewer for viewer in self._seats if viewer.is_due and viewer not in due]
        for _ in range(_MOST_ROUNDS):
            if not due:
                return
            for viewer in due:
                if viewer in self._seats:
                    viewer.step()
                    self._judge(viewer)
            due = [viewer for viewer in due if viewer.is_due and viewer in self._seats]
        self.wake()

    def _ring(self, viewer: RtspViewer) -> None:
        viewer.ring()
        self.wake()

    def _judge(self, viewer: RtspViewer) -> None:
        if viewer.over:
            self._end(viewer, viewer.over)

    def _over(self, viewer: RtspViewer) -> None:
        if viewer in self._seats:
            self._end(viewer, viewer.look.over or "the lease is over")

    def _end(self, viewer: RtspViewer, why: str) -> None:
        ended = self._seats.get(viewer)
        self.unseat(viewer, why)
        if ended is not None:
            ended(why)


def _close(entered: Future[Look]) -> None:
    """The house has let in somebody who is gone."""
    if not entered.cancelled() and entered.exception() is None:
        entered.result().close("the connection broke")
