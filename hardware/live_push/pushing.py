"""The thread that pushes while a lease asks for it: connects, sends, comes back after a break, and ends with the lease.

1. Nothing goes to any other place than the configured one.
2. No frame before the house has let it in; a look lasts as long as its connection.
3. A frame that would arrive more than two seconds late is not sent, and neither are those behind it up to a keyframe in time.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import ssl
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.ports.live import Gate, LiveFrame, Look, LookRefused, NoEntry, Transport
from hardware.live_push.relay_line import RelayLine
from hardware.live_rtsp.backlog import Backlog
from hardware.live_rtsp.packets import Packetiser
from hardware.live_rtsp.rtcp import sender_report

log = logging.getLogger(__name__)

LEAST_PAUSE_S: Final = 0.5
MOST_PAUSE_S: Final = 2.0
"""Between two tries: a line that comes back is to be used within five seconds."""
_REPORT_NS: Final = 5 * NS
_ALIVE_NS: Final = 20 * NS
_WAIT_S: Final = 0.25
_MOST_LEASES: Final = 64


class LivePush(Component):
    """`begin` may come from any thread. `told` says how it fares."""

    critical = False

    def __init__(self, gate: Gate, url: str, encryption: Callable[[], ssl.SSLContext], clock: Clock) -> None:
        super().__init__("live push", clock)
        self._gate, self._url, self._encryption = gate, url, encryption
        self.packetiser = Packetiser(secrets.randbits(32), secrets.randbits(32))
        self._number = secrets.randbelow(1 << 16)
        self._sent = self._octets = 0
        self._leases: deque[str] = deque(maxlen=_MOST_LEASES)
        self._asked = threading.Event()
        self.told = "idle"

    def begin(self, lease: str) -> None:
        """Push for this lease, now or once the one before is over."""
        self._leases.append(lease)
        self._asked.set()

    def wake(self) -> None:
        self._asked.set()

    def work(self) -> None:
        while not self.stopping.is_set():
            self.progressed()
            if not self._leases:
                self.told = "idle"
                self._asked.wait(1.0)
                self._asked.clear()
                continue
            self._push_for(self._leases[0])
            self._leases.popleft()

    def _push_for(self, lease: str) -> None:
        """Until the lease is over or the node stops."""
        pause_s, before = LEAST_PAUSE_S, ""
        while not self.stopping.is_set() and self._gate.challenge(lease) is not None:
            self.progressed()
            try:
                self.told = "connecting"
                with contextlib.closing(RelayLine(self._url, self._encryption)) as line:
                    if self._record(line, lease):
                        pause_s = LEAST_PAUSE_S
            except DeviceError as error:
                if str(error) != before:
                    log.warning("live pictures are not pushed: %s", error)
                before = str(error)
                self.told = error.said[0]
            except LookRefused as refused:
                if refused.why is NoEntry.UNKNOWN:
                    return
                self.told = str(refused)
            self.clock.wait(self.stopping, pause_s)
            pause_s = min(2 * pause_s, MOST_PAUSE_S)

    def _record(self, line: RelayLine, lease: str) -> bool:
        """Send until the lease is over or the line breaks; True when something was sent."""
        video = self._gate.format_of(lease)
        if video is None:
            raise DeviceError(say("the node has no picture yet"))
        line.record(video, secrets.randbits(31))
        sent, why = self._sent, "the node stops"
        with self._gate.enter(lease, Transport.PUSH, line.shown) as look:
            look.on_over(line.cut)
            look.request_keyframe()
            log.info("live pictures are pushed to %s", line.shown)
            self.told = "pushing"
            try:
                self._send_all(line, look)
                line.say_goodbye()
            except DeviceError as error:
                why = error.said[0]
                if look.over:
                    return True
                raise
            finally:
                look.close(look.over or why)
        return self._sent > sent

    def _send_all(self, line: RelayLine, look: Look) -> None:
        backlog, reported_ns, alive_ns = Backlog(), 0, self.clock.monotonic_ns()
        while not self.stopping.is_set():
            self.progressed()
            try:
                frame = look.get(_WAIT_S)
            except LookRefused:
                return
            line.drain()
            now_ns = self.clock.monotonic_ns()
            backlog.look(line.waiting(), now_ns)
            if backlog.is_stuck(now_ns):
                raise DeviceError(say("the relay {relay} takes nothing", relay=line.shown))
            if now_ns - alive_ns > _ALIVE_NS:
                alive_ns = now_ns
                line.keep_alive()
            if frame is None or not self._send(line, backlog, frame, now_ns):
                continue
            if now_ns - reported_ns > _REPORT_NS:
                reported_ns = now_ns
                line.report(self._report(frame))

    def _send(self, line: RelayLine, backlog: Backlog, frame: LiveFrame, now_ns: int) -> bool:
        packets = self.packetiser.packets(frame)
        late_s = max(0.0, (now_ns - frame.unit.pts_ns) / NS)
        if not packets.starts or not backlog.admit(len(packets.framed), keyframe=frame.unit.keyframe, late_s=late_s):
            return False
        line.send(packets, self._number)
        self._number = (self._number + len(packets.starts)) & 0xFFFF
        self._sent += len(packets.starts)
        self._octets += packets.payload_bytes
        return True

    def _report(self, frame: LiveFrame) -> bytes:
        timestamp = self.packetiser.timestamp(frame.unit.pts_ns)
        return sender_report(self.packetiser.source, frame.unit.wall_ns, timestamp, self._sent, self._octets)
