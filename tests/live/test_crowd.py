"""A bad crowd at a whole node: some stop reading, one has a thin line, one comes and vanishes all the time."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from agent.demo.broker import free_port
from agent.ports.live import Secret
from agent.signing import nal
from tests.live.test_whole_node import leases, opened, register
from tests.support.deadline import until
from tests.support.live_clients import kept_units
from tests.support.rtp_units import Depacketiser
from tests.support.rtsp_caller import Caller
from tests.support.whole_node import WholeNode

VANISHING = int(os.environ.get("VIGIE_EXAMPLES", "100"))
THIN_BYTES, THIN_S = 1250, 0.1
"""100 kbit/s."""
FRAMES = 30
MOST_GROWN = 24_000_000
"""Of the process: seven connections' bounded backlogs, threads, and what a recorder's own day brings."""


class Watching:
    """One viewer, in a thread of its own; `slices` are what it got, in order. `thin`: it reads 100 kbit/s."""

    def __init__(self, port: int, secret: Secret, *, thin: bool = False) -> None:
        self.slices: list[bytes] = []
        self._thin = thin
        self._over = threading.Event()
        self._caller = Caller(port, secret=secret)
        if thin:
            self._caller.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert self._caller.play().status == 200
        self._thread = threading.Thread(target=self._watch_thinly if thin else self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._caller.line.shutdown(socket.SHUT_RDWR)
        self._thread.join(30)
        self._caller.close()

    def _watch(self) -> None:
        units = Depacketiser()
        with suppress(OSError):
            while not self._over.is_set():
                channel, packet = self._caller.packet()
                if channel == 0 and (unit := units.feed(packet)) is not None:
                    self.slices += slices(nal.units(unit))

    def _watch_thinly(self) -> None:
        with suppress(OSError):
            while self._caller.line.recv(THIN_BYTES):
                self._over.wait(THIN_S)


def slices(units: Iterator[bytes] | list[bytes]) -> list[bytes]:
    """The pictures among these units."""
    return [unit for unit in units if nal.is_vcl(nal.unit_type(unit))]


def secret_of(lease: dict[str, str]) -> Secret:
    """As its address holds it."""
    parts = urlsplit(lease["rtsp"])
    return Secret(unquote(parts.username or ""), unquote(parts.password or ""))


def vanish(port: int, secret: Secret) -> None:
    """It logs in, asks to play and is gone, before it is answered."""
    with suppress(ConnectionError), Caller(port, secret=secret) as caller:
        if caller.set_up().status == 200:
            caller.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.line.sendall(f"PLAY {caller.base} RTSP/1.0\r\nCSeq: 9\r\nSession: {caller.session}\r\n\r\n".encode())


def rss_bytes(process: subprocess.Popen[str]) -> int:
    """Of a running process."""
    pages = Path(f"/proc/{process.pid}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(node: WholeNode) -> Iterator[subprocess.Popen[str]]:
    """Until its orderly end."""
    process = node.start("--summary", str(node.directory / "summary.json"))
    try:
        until(node.recordings, "it records")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, node.log()


def test_a_bad_crowd_costs_the_recording_nothing_and_the_good_nothing(tmp_path: Path) -> None:
    """Eight places: four stand still, one reads 100 kbit/s, one vanishes again and again; two see every recorded picture."""
    node, port = WholeNode(tmp_path), free_port()
    node.tables = {"live": f"enabled = true\nrtsp_port = {port}\nrtsps_port = 0", "encoding": "keyframe_seconds = 1\ncrf = 18"}
    node.write(realtime=True, loop=True)
    node.validate()
    with running(node) as process, ExitStack() as stack:
        good_lease, bad_lease, thin_lease, brief_lease = (secret_of(opened(node)) for _ in range(4))
        good = [stack.enter_context(closing(Watching(port, good_lease))) for _ in range(2)]
        until(lambda: all(len(each.slices) > FRAMES for each in good), "the good ones see something")
        before = rss_bytes(process)
        for _ in range(4):
            stuck = stack.enter_context(Caller(port, secret=bad_lease))
            stuck.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            assert stuck.play().status == 200
        stack.enter_context(closing(Watching(port, thin_lease, thin=True)))
        for _ in range(VANISHING):
            vanish(port, brief_lease)
        until(lambda: sum(told["viewers"] for told in leases(node)) <= 3, "those that stand still have lost their places")
        seen = [len(each.slices) for each in good]
        until(lambda: all(len(each.slices) > was + FRAMES for each, was in zip(good, seen, strict=True)), "the good ones go on")
        assert rss_bytes(process) - before < MOST_GROWN
    recorded = slices([unit for segment in node.recordings() for unit in kept_units(segment)])
    for each in good:
        start = recorded.index(each.slices[0])
        assert each.slices == recorded[start : start + len(each.slices)]
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["lost"] == 0
    assert len(register(node, "live-begun")) == 4
    ended = {line["facts"]["lease"]: line["facts"] for line in register(node, "live-ended")}
    assert len(register(node, "live-ended")) == 4
    assert ended[bad_lease.lease]["looks"] == 4
    assert 0 < ended[brief_lease.lease]["looks"] <= VANISHING  # who is gone before it is heard has not looked
