"""A node pushes to a relay while a lease asks for it: to GStreamer's, and to one of our own that does what a test wants."""

from __future__ import annotations

import json
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pytest

from agent.base.clock import SystemClock
from agent.evidence.verification import judge
from agent.identity.certificates import read_chain
from agent.picture.planes import Planes
from agent.ports.live import Transport
from agent.signing import nal
from hardware.live_push.door import PushDoor
from hardware.rtsp_framing import Framing, Message
from tests.support.authority import Authority
from tests.support.deadline import until
from tests.support.live_clients import evidence_units, kept_units
from tests.support.live_feed import LiveFeed
from tests.support.parts import missing
from tests.support.private_look import CODEC_TOLERANCE, deviation
from tests.support.small_gate import SmallGate
from tests.support.whole_node import WholeNode

RECEIVER = Path(__file__).parents[1] / "lanes" / "rtsp" / "receiver.py"
PYTHON = "/usr/bin/python3"  # Debian's: GStreamer's bindings are packaged for it alone


@contextmanager
def receiver(*arguments: object) -> Iterator[int]:
    """GStreamer's relay; its port."""
    process = subprocess.Popen(
        [PYTHON, RECEIVER, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if not line:
            assert process.stderr is not None
            missing("gst-rtsp-server", f"`make setup` installs tests/lanes/rtsp/packages.txt ({process.stderr.read()[-200:]})")
        yield int(line)
    finally:
        process.kill()
        process.communicate()


@contextmanager
def pushing(feed: LiveFeed, url: str, ca: Path | None = None) -> Iterator[tuple[SmallGate, PushDoor]]:
    """A node that may push there."""
    gate = SmallGate(feed.broadcast)
    identity = feed.identity
    door = PushDoor(gate, url, ca or identity.ca_path, identity.chain_path, identity.key_path, SystemClock())
    (component,) = door.components()
    component.start()
    try:
        yield gate, door
    finally:
        component.stop()
        assert component.join(30)


@pytest.mark.lane("rtsp")
@pytest.mark.parametrize("scheme", ["rtsp", "rtsps"])
def test_a_relay_gets_every_slice_and_signature_and_nothing_after_the_lease(feed: LiveFeed, tmp_path: Path, scheme: str) -> None:
    """Bit by bit, and it verifies; by TLS only to a relay that the town's CA vouches for. The register has it."""
    kept, authority = tmp_path / "kept.h264", Authority(tmp_path / "ca")
    pair = authority.issue("relay", server="127.0.0.1")
    certificate = (pair.cert, pair.key) if scheme == "rtsps" else ()
    with receiver(kept, *certificate) as port, pushing(feed, f"{scheme}://127.0.0.1:{port}/live", authority.ca) as (gate, door):
        assert door.state == "idle"
        lease = gate.open().lease
        door.opened(lease)
        until(lambda: kept.exists() and len(evidence_units(kept.read_bytes())) > 60, f"it arrives ({door.state})")
        assert door.state == "pushing"
        gate.end(lease)
        until(lambda: door.state == "idle", "it ends with the lease")
        assert [(entry.transport, entry.why) for entry in gate.register] == [
            (Transport.PUSH, ""),
            (Transport.PUSH, "closed by a supervisor"),
        ]
    got = kept_units(kept)
    sent = [unit for each in feed.sent for unit in evidence_units(each.data)]
    starts = [at for at, unit in enumerate(sent) if unit == got[0]]
    assert any(got == sent[at : at + len(got)] for at in starts)
    units, picture = [], -1
    for unit in nal.units(kept.read_bytes()):
        picture += nal.is_picture_start(unit)
        units.append((max(0, picture), unit))
    report = judge(lambda: iter(units), picture + 1, read_chain(feed.identity.ca_path))
    assert (report.changed, report.missing_units, report.chain_trusted) == (0, 0, True)


@dataclass
class OwnRelay:
    """Answers 200 to everything, or `status`; `packets` count. `frozen`: it takes nothing any more."""

    status: str = "200 OK"
    asked: list[str] = field(default_factory=list)
    packets: int = 0
    frozen: threading.Event = field(default_factory=threading.Event)
    came: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lines: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            self.came += 1
            self.lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        framing = Framing()
        try:
            while data := line.recv(65_536):
                for piece in framing.feed(data):
                    if isinstance(piece, Message):
                        self.asked.append(piece.first)
                        cseq = piece.all("cseq")[0]
                        line.sendall(f"RTSP/1.0 {self.status}\r\nCSeq: {cseq}\r\nSession: 1;timeout=60\r\n\r\n".encode())
                    else:
                        self.packets += piece[1] == 0
                if self.frozen.is_set():
                    return
        except OSError:
            return

    def cut(self) -> None:
        """Every line, at once and hard."""
        for line in self.lines:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
        self.lines.clear()

    def close(self) -> None:
        self.listener.close()
        self.cut()


@pytest.fixture
def relay() -> Iterator[OwnRelay]:
    """For one test."""
    relay = OwnRelay()
    yield relay
    relay.close()


def test_a_line_that_breaks_is_taken_up_again_while_the_lease_lasts(feed: LiveFeed, relay: OwnRelay) -> None:
    """Each connection is a look of its own in the register; after the lease nobody comes back."""
    with pushing(feed, f"rtsp://127.0.0.1:{relay.port}/live") as (gate, door):
        lease = gate.open().lease
        door.opened(lease)
        for _ in range(3):
            seen = relay.packets
            until(lambda seen=seen: relay.packets > seen + 20, f"it is pushed ({door.state})")  # type: ignore[misc]
            came = relay.came
            relay.cut()
            until(lambda came=came: relay.came > came, "it comes back")  # type: ignore[misc]
        until(lambda: gate.looks, "it is let in again")
        gate.end(lease)
        until(lambda: door.state == "idle", "it is over")
        assert not gate.looks
    begun = [entry for entry in gate.register if not entry.why]
    assert len(begun) == len(gate.ends) >= 4


def test_a_relay_that_takes_nothing_holds_up_nothing(feed: LiveFeed, relay: OwnRelay) -> None:
    """The end of the lease ends the push, although its last bytes are never taken."""
    with pushing(feed, f"rtsp://127.0.0.1:{relay.port}/live") as (gate, door):
        lease = gate.open().lease
        door.opened(lease)
        until(lambda: relay.packets > 5, f"it is pushed ({door.state})")
        relay.frozen.set()
        before = len(feed.sent)
        until(lambda: len(feed.sent) > before + 50, "frames go on")
        gate.end(lease)
        until(lambda: door.state == "idle", "it is over")


def test_a_relay_that_refuses_is_told_and_the_look_never_begins(feed: LiveFeed, relay: OwnRelay) -> None:
    """In words, with what it answered; no entry, as no frame left."""
    relay.status = "403 Forbidden"
    with pushing(feed, f"rtsp://127.0.0.1:{relay.port}/live") as (gate, door):
        lease = gate.open().lease
        door.opened(lease)
        until(lambda: "403 Forbidden" in door.state, "it is told")
        gate.end(lease)
        until(lambda: door.state == "idle", "it is over")
    assert gate.register == []


@pytest.mark.lane("rtsp")
def test_a_relay_that_cannot_prove_who_it_is_gets_nothing(feed: LiveFeed, tmp_path: Path) -> None:
    """A certificate of another CA, or for another name: not even the announcement is sent."""
    town, other = Authority(tmp_path / "town"), Authority(tmp_path / "other")
    for pair in (other.issue("relay", server="127.0.0.1"), town.issue("elsewhere", server="relay.example")):
        kept = tmp_path / f"{pair.cert.stem}.h264"
        with (
            receiver(kept, pair.cert, pair.key) as port,
            pushing(feed, f"rtsps://127.0.0.1:{port}/live", town.ca) as (gate, door),
        ):
            door.opened(gate.open().lease)
            until(lambda door=door: "cannot prove who it is" in door.state, "it is told")  # type: ignore[misc]
        assert gate.register == []
        assert not kept.exists()


def test_two_leases_are_one_push(feed: LiveFeed, relay: OwnRelay) -> None:
    """Several leases at once are one push, and the second goes on where the first ends."""
    with pushing(feed, f"rtsp://127.0.0.1:{relay.port}/live") as (gate, door):
        first, second = gate.open().lease, gate.open().lease
        door.opened(first)
        door.opened(second)
        until(lambda: relay.packets > 5, f"it is pushed ({door.state})")
        gate.end(first)
        until(lambda: [entry.lease for entry in gate.register if not entry.why] == [first, second], "the second goes on")
        assert len(gate.looks) == 1


@pytest.mark.lane("rtsp")
def test_a_whole_node_pushes_masked_frames_while_its_lease_lasts(tmp_path: Path) -> None:
    """By the command line; Y, U and V of every frame that the relay kept; the register has the look."""
    kept, node = tmp_path / "kept.h264", WholeNode(tmp_path)
    with receiver(kept) as port:
        node.tables = {"live": f'enabled = true\nrtsp_port = 0\nrtsps_port = 0\npush_url = "rtsp://127.0.0.1:{port}/live"'}
        node.write(realtime=True, loop=True)
        node.validate()
        running = node.start()
        try:
            until(node.recordings, "it records")
            command = ["live", "open", "--role", "police", "--by", "BM Leroy", "--transport", "push", "--json"]
            lease = json.loads(node.vigie(*command, "--config", str(node.config)).stdout)["lease"]
            until(lambda: kept.exists() and len(evidence_units(kept.read_bytes())) > 40, "it arrives")
            node.vigie("live", "close", lease, "--config", str(node.config))
        finally:
            running.send_signal(signal.SIGTERM)
            assert running.wait(60) == 0, node.log()
    with av.open(str(kept), format="h264") as film:
        shown, torn = [], 0
        for packet in film.demux(video=0):
            try:
                decoded = packet.decode()
            except av.error.InvalidDataError:  # the end of the lease cut it off behind its SEI
                torn += 1
                continue
            shown += [np.ascontiguousarray(each.to_ndarray(format="yuv420p"), np.uint8) for each in decoded]
        width, height = film.streams.video[0].width, film.streams.video[0].height
    assert len(shown) > 20
    assert torn <= 1
    assert max(deviation(Planes.over(each.reshape(-1), width, height), node.polygons) for each in shown) <= CODEC_TOLERANCE
    register = (node.directory / "state" / "register.jsonl").read_text()
    assert '"live-begun"' in register
    assert '"push"' in register
