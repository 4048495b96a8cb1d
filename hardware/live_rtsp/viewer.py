"""One viewer who plays: what comes of its look goes to its outlet, as far as its line keeps up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from agent.base.clock import NS, Clock
from agent.ports.live import LiveFrame, Look, LookRefused
from hardware.live_rtsp.backlog import Backlog
from hardware.live_rtsp.outlet import Outlet
from hardware.live_rtsp.packets import Packetiser
from hardware.live_rtsp.rtcp import BYE, bye, read_reports, sender_report

REPORT_S: Final = 5.0
SILENT_S: Final = 60.0
"""A viewer by UDP that sends neither a report nor a request for so long is gone."""


class RtspViewer:
    """The event loop's thread. `announce` is called with number and timestamp of the first packet, just before it leaves.

    `over` says why it ended; empty while it goes on.
    """

    def __init__(
        self, look: Look, outlet: Outlet, packetiser: Packetiser, clock: Clock, announce: Callable[[int, int], None]
    ) -> None:
        self.look = look
        self._outlet, self._packetiser, self._clock = outlet, packetiser, clock
        self._announce: Callable[[int, int], None] | None = announce
        self._backlog = Backlog()
        self._number = 0
        self._last: LiveFrame | None = None
        self._packets = self._octets = 0
        self._reported_ns = 0
        self._heard_ns = clock.monotonic_ns()
        self.frames = self.dropped = 0
        self.over = ""
        self._rung = self._taken = 0

    def ring(self) -> None:
        """One more frame can be taken. The encoder's thread, and no other."""
        self._rung += 1

    @property
    def is_due(self) -> bool:
        """Whether there is a frame to take that was rung for; an empty look costs more than asking here."""
        return self._rung > self._taken

    def step(self) -> bool:
        """Take and send one frame; False when there was none."""
        if self.over:
            return False
        rung = self._rung  # before: a frame is there before it is rung for
        try:
            frame = self.look.get(0)
        except LookRefused:
            self.over = self.look.over or "the lease is over"
            return False
        if frame is None:
            self._taken = max(self._taken, rung)
            return False
        self._taken += 1
        self._send(frame)
        return True

    def tick(self) -> None:
        """About once a second: say what time it is, and end what nobody takes any more."""
        now_ns = self._clock.monotonic_ns()
        self._backlog.look(self._outlet.waiting(), now_ns)
        if self._backlog.is_stuck(now_ns):
            self.over = "the viewer took nothing for 10 s"
        elif self._last is not None and now_ns - self._reported_ns > REPORT_S * NS:
            self._report(now_ns)

    def hear(self, reports: bytes) -> str:
        """A compound RTCP packet came; why the viewer is over by it, empty when it is not."""
        self.heard()
        return "the viewer said goodbye" if any(report.kind == BYE for report in read_reports(reports)) else ""

    def heard(self) -> None:
        """The viewer gave a sign of life."""
        self._heard_ns = self._clock.monotonic_ns()

    @property
    def is_silent(self) -> bool:
        """Whether it has given none for as long as anybody waits."""
        return self._clock.monotonic_ns() - self._heard_ns > SILENT_S * NS

    def begin(self) -> None:
        """No first picture came in time: the next one is sent without being announced."""
        self._announce = None

    def say_bye(self) -> None:
        """Tell the far end that nothing more comes."""
        self._outlet.report(bye(self._packetiser.source))

    def _send(self, frame: LiveFrame) -> None:
        packets = self._packetiser.packets(frame)
        if not packets.starts:
            return
        now_ns = self._clock.monotonic_ns()
        self._backlog.look(self._outlet.waiting(), now_ns)
        if not self._backlog.admit(len(packets.framed), keyframe=frame.unit.keyframe):
            self.dropped += not frame.closing
            return
        is_first, self._last = self._last is None, frame
        if is_first:
            self._number = packets.first
        if self._announce is not None:
            announce, self._announce = self._announce, None
            announce(self._number, packets.timestamp)
        self._outlet.send(packets, self._number)
        count = len(packets.starts)
        self._number = (self._number + count) & 0xFFFF
        self._packets += count
        self._octets += packets.payload_bytes
        self.frames += not frame.closing
        if is_first:
            self._report(now_ns)

    def _report(self, now_ns: int) -> None:
        """Wall time and stream time of the last frame belong together, whenever this is sent."""
        assert self._last is not None
        unit = self._last.unit
        timestamp = self._packetiser.timestamp(unit.pts_ns)
        self._outlet.report(sender_report(self._packetiser.source, unit.wall_ns, timestamp, self._packets, self._octets))
        self._reported_ns = now_ns
