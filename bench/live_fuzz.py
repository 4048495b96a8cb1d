"""Noise at the ports of RTSP and RTSPS: nothing is shown to who proved nothing, nothing breaks, a good viewer loses nothing.

Options: --minutes 1, --seed 1. A third of the noise comes behind a proved lease, half of what goes to RTSPS inside TLS.
"""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from agent.base.clock import SystemClock
from agent.ports.live import Secret
from hardware.live_rtsp.door import RtspDoor
from hardware.live_rtsp.settings import RtspSettings
from hardware.rtsp_framing import Framing, Message
from tests.support.deadline import until
from tests.support.live_feed import LiveFeed
from tests.support.rtp_units import Depacketiser
from tests.support.rtsp_caller import Caller
from tests.support.rtsp_noise import noise
from tests.support.small_gate import SmallGate

_HEARD_S = 0.02
"""So long the answer to noise is waited for."""
_PROVED, _IN_TLS = 0.33, 0.5


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Prints the figures and returns them."""
    minutes, seed = float(str(options.get("minutes", 1))), int(str(options.get("seed", 1)))
    with tempfile.TemporaryDirectory() as directory, LiveFeed(Path(directory), size="320x240", crf=23) as feed:
        feed.broadcast.leave(feed)  # it would keep every frame
        gate = SmallGate(feed.broadcast)
        identity = feed.identity
        door = RtspDoor(gate, RtspSettings("127.0.0.1", 0, 0, identity.chain_path, identity.key_path), SystemClock())
        with _serving(door), _errors_told() as errors:
            metrics = _Noise(door, gate, random.Random(seed)).make(60 * minutes)
            metrics |= {"errors_logged": len(errors), "server": str(door.state)}
    metrics["worst_allowed"] = {"shown_to_strangers": 0, "good_viewer_lost": 0, "errors_logged": 0, "server": "running"}
    for name, value in metrics.items():
        print(f"{name:<24} {value}")
    return metrics


class _Noise:
    """Made by one thread, connection after connection, while another watches as a viewer in earnest."""

    def __init__(self, door: RtspDoor, gate: SmallGate, chance: random.Random) -> None:
        self._door, self._gate, self._chance = door, gate, chance
        self._answers: Counter[int] = Counter()
        self._shown = self._proved = self._connections = 0

    def make(self, seconds: float) -> dict[str, object]:
        """For so long; what came of it."""
        good, lease = _GoodViewer(self._door.server.ports["rtsp"], self._gate.open("good")), self._gate.open("noise")
        before, grown_from, ends = self._spent_s(), _rss_mb(), time.monotonic() + seconds
        while time.monotonic() < ends:
            with contextlib.suppress(OSError, ValueError):
                self._once(lease)
            self._connections += 1
            if self._connections == 200:
                grown_from = _rss_mb()
        cost_s = self._spent_s() - before
        frames, lost = good.end()
        return {
            "connections": self._connections,
            "behind_a_proved_lease": self._proved,
            "answers": dict(sorted(self._answers.items())),
            "shown_to_strangers": self._shown,
            "server_ms_a_connection": round(cost_s / self._connections * 1000, 2),
            "rss_grown_mb": round(_rss_mb() - grown_from, 1),
            "good_viewer_frames": frames,
            "good_viewer_lost": lost,
        }

    def _once(self, lease: Secret) -> None:
        chance = self._chance
        scheme, port = chance.choice(list(self._door.server.ports.items()))
        encrypted = scheme == "rtsps" and chance.random() < _IN_TLS
        proves = (encrypted or scheme == "rtsp") and chance.random() < _PROVED
        with Caller(port, encrypted=encrypted, secret=lease) as caller:
            if proves:
                self._proved += caller.ask("DESCRIBE").status == 200
            caller.line.sendall(noise(chance))
            caller.line.settimeout(_HEARD_S)
            framing = Framing()
            with contextlib.suppress(TimeoutError):
                while data := caller.line.recv(65_536):
                    self._hear(framing, data, proves)
            if chance.random() < 0.3:
                caller.line.shutdown(socket.SHUT_RDWR)

    def _hear(self, framing: Framing, data: bytes, proves: bool) -> None:
        for piece in framing.feed(data):
            if isinstance(piece, Message):
                self._answers[piece.status] += 1
            else:
                self._shown += not proves

    def _spent_s(self) -> float:
        """CPU of the server's thread."""
        (ident,) = [each.ident for each in threading.enumerate() if each.name == self._door.server.name]
        assert ident is not None
        return time.clock_gettime(time.pthread_getcpuclockid(ident))


class _GoodViewer:
    """Takes every frame, in a thread of its own."""

    def __init__(self, port: int, secret: Secret) -> None:
        self._caller, self._units, self._frames = Caller(port, secret=secret), Depacketiser(), 0
        assert self._caller.play().status == 200
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> tuple[int, int]:
        """How many frames it got, and how many packets it missed; ConnectionError when it was cut off before."""
        assert self._thread.is_alive(), "the good viewer was cut off"
        with closing(self._caller):
            self._caller.line.shutdown(socket.SHUT_RDWR)
            self._thread.join(30)
        return self._frames, self._units.gaps

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                channel, packet = self._caller.packet()
                if channel == 0 and self._units.feed(packet) is not None:
                    self._frames += 1


def _rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


@contextmanager
def _serving(door: RtspDoor) -> Iterator[None]:
    door.server.start()
    try:
        until(lambda: len(door.server.ports) == 2, "it listens")
        yield
    finally:
        door.server.stop()
        door.server.join(30)


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _errors_told() -> Iterator[list[logging.LogRecord]]:
    """Whatever is logged as an error meanwhile: of noise nothing is one."""
    handler = _Kept(logging.ERROR)
    logging.getLogger().addHandler(handler)
    try:
        yield handler.records
    finally:
        logging.getLogger().removeHandler(handler)
