"""Live pictures at 720p25, by RTSP and in Chromium: delay from drawn to decoded, first picture, CPU of viewers, memory.

Options: --seconds 6 (for each number of viewers), --firsts 20, --kbps 2000. `bare` is the same stream over a plain socket without
RTSP, decoded alike: what of a delay is the encoder's, the decoder's and the busy machine's. CPU is a ratio to the encode in the
same seconds, with the part of it that the kernel spends.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import av
import numpy as np

from agent.base.clock import NS, SystemClock
from agent.demo.broker import free_port
from agent.identity.node_key import IdentityDirectory
from agent.live.web_door import WebDoor
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.access_unit import AccessUnit
from agent.picture.cover import Cover
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.ports.live import Way
from agent.signing.media_signing import MediaSigner
from agent.signing.tlv import MANUFACTURER, VendorInformation
from agent.stream.broadcast import Broadcast
from bench.film import film_1080p25
from bench.live_page import page_delays_ms, page_memory_mb
from bench.live_viewers import draw_number
from hardware.encoder_libav import LibavEncoder
from hardware.live_rtsp.door import RtspDoor
from hardware.live_rtsp.settings import RtspSettings
from tests.support.deadline import until
from tests.support.lease_house import LeaseHouse

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT, FPS = 1280, 720, 25
VIEWERS = (0, 1, 4, 8, 16)
FRAMES = 50
WORST = {
    "delay_ms_p95": 50,
    "delay_page_ms_p95": 15,
    "first_picture_s_p95": 0.3,
    "cpu_16_viewers": 0.1,
    "rtsp_on_rss_mb": 5,
    "page_on_rss_mb": 10,
}
_MEMORY = """
import sys
from pathlib import Path
import agent.node.daemon, agent.node.wiring
from agent.base.clock import SystemClock
from agent.stream.broadcast import Broadcast
from hardware.encoder_libav import LibavEncoder
from agent.node.drivers import open_transport
from agent.ports.mqtt import BrokerCredentials
open_transport(BrokerCredentials())
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = rss()
from hardware.live_rtsp.door import RtspDoor
from hardware.live_rtsp.settings import RtspSettings
door = RtspDoor(None, RtspSettings("127.0.0.1", 0, 0, *map(Path, sys.argv[1:])), SystemClock())
door.server.start()
while len(door.server.ports) < 2 and door.server.state != "failed":
    door.server.stopping.wait(0.05)
door.server.stopping.wait(1)
print(rss() - before)
"""


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Prints each figure as it comes, and returns them."""
    seconds, firsts = float(str(options.get("seconds", 6))), int(str(options.get("firsts", 20)))
    metrics: dict[str, object] = {}

    def tell(measured: Mapping[str, object]) -> None:
        metrics.update(measured)
        for name, value in measured.items():
            print(f"{name:<24} {value}", flush=True)

    with tempfile.TemporaryDirectory() as directory:
        camera = _DrawingCamera(Path(directory), int(str(options.get("kbps", 2000))))
        with camera.serving():
            for count in VIEWERS:
                tell(camera.cost(count, seconds))
            tell(camera.firsts(firsts))
            for how, name in (("bare", "delay_bare_ms"), ("decode", "delay_ms"), ("ffmpeg", "delay_ffmpeg_ms")):
                tell(camera.delay(how, name, seconds))
            tell(camera.delay_of_page(seconds))
        tell({"rtsp_on_rss_mb": round(_memory(camera.identity), 2)})
        tell({"page_on_rss_mb": round(page_memory_mb(camera.identity, free_port()), 2)})
    tell({"encode_ms_a_frame": round(camera.encode_ms, 2), "load": round(os.getloadavg()[0], 1), "worst_allowed": WORST})
    return metrics


class _DrawingCamera:
    """Draws, masks, encodes, signs and publishes in real time on one thread; each frame bears its number in its picture."""

    def __init__(self, directory: Path, kbps: int) -> None:
        self.identity = IdentityDirectory(directory / "identity")
        self._planes = _film()
        self._encoder = LibavEncoder(WIDTH, HEIGHT, float(FPS), bitrate_kbps=kbps, threads=1)
        self._broadcast = Broadcast(MediaSigner(self.identity.init("bench"), VendorInformation("0", "bench", MANUFACTURER)))
        self._broadcast.begin(lambda: self._encoder.format)
        self._bare = _BareLine()
        self._broadcast.attach(self._bare)
        house = LeaseHouse(directory, max(VIEWERS) + 1, self._broadcast, self._encoder.request_keyframe)
        self._gate = house.gate
        self._secrets = {way: house.open(seconds=8 * 3600, way=way).secret for way in (Way.RTSP, Way.WEB)}
        settings = RtspSettings("127.0.0.1", 0, 0, self.identity.chain_path, self.identity.key_path, max_viewers=16)
        self._door = RtspDoor(self._gate, settings, SystemClock())
        files = self.identity.chain_path, self.identity.key_path, self.identity.ca_path
        self._page = WebDoor(self._gate, "bench", ("127.0.0.1", free_port()), *files, SystemClock())
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._film_on)
        self._drawn: dict[int, int] = {}
        self._encode_ns = self._publish_ns = self._frames = 0

    @property
    def encode_ms(self) -> float:
        """CPU of one frame."""
        return self._encode_ns / max(1, self._frames) / 1e6

    @contextmanager
    def serving(self) -> Iterator[None]:
        """While it films and listens."""
        doors = self._door.server, self._page
        for door in doors:
            door.start()
        self._thread.start()
        try:
            until(lambda: self._door.server.ports and self._gate.format, "it films")
            yield
        finally:
            self._over.set()
            self._thread.join()
            for door in doors:
                door.stop()
                door.join(10)

    def cost(self, count: int, seconds: float) -> dict[str, object]:
        """CPU of the server's thread, and of handing out, with so many viewers, as shares of encoding."""
        with self._viewers("read", count):
            until(lambda: self._gate.viewers == count, f"{count} look")
            self._over.wait(1)
            before = self._spent()
            self._over.wait(seconds)
            encode, publish, serve, kernel = (b - a for a, b in zip(before, self._spent(), strict=True))
        until(lambda: not self._gate.viewers, "they are gone")
        return {
            f"cpu_{count}_viewers": round(serve / encode, 4),
            f"cpu_{count}_in_kernel": round(kernel / encode, 4),
            f"cpu_{count}_hand_out": round(publish / encode, 4),
        }

    def delay(self, how: str, name: str, seconds: float) -> dict[str, object]:
        """From drawn to decoded, in another process on this machine."""
        with self._viewers(how, 1) as viewer:
            assert viewer is not None
            assert viewer.stdout is not None
            delays = []
            for _ in range(round((seconds + 1) * FPS)):
                number, at_ns = map(int, viewer.stdout.readline().split())
                delays.append((at_ns - self._drawn[number]) / 1e6)
        delays = delays[FPS:]
        return {f"{name}_p50": _percentile(delays, 50), f"{name}_p95": _percentile(delays, 95)}

    def delay_of_page(self, seconds: float) -> dict[str, object]:
        """In Chromium, by WebCodecs."""
        delays = page_delays_ms(self._page.urls(self._secrets[Way.WEB])["page"], seconds)
        until(lambda: not self._gate.viewers, "the page is gone")
        return {"delay_page_ms_p50": _percentile(delays, 50), "delay_page_ms_p95": _percentile(delays, 95)}

    def firsts(self, count: int) -> dict[str, object]:
        """From the connection to the first picture decoded, login and all."""
        with self._viewers("first", count) as viewer:
            assert viewer is not None
            assert viewer.stdout is not None
            waits = [float(viewer.stdout.readline()) for _ in range(count)]
        return {"first_picture_s_p50": _percentile(waits, 50), "first_picture_s_p95": _percentile(waits, 95)}

    @contextmanager
    def _viewers(self, how: str, count: int) -> Iterator[subprocess.Popen[str] | None]:
        if not count:
            yield None
            return
        url = f"tcp://127.0.0.1:{self._bare.port}" if how == "bare" else self._door.urls(self._secrets[Way.RTSP])["rtsp"]
        command = [sys.executable, "-m", "bench.live_viewers", how, url, str(count)]
        viewer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            yield viewer
        finally:
            viewer.kill()
            viewer.communicate()

    def _spent(self) -> tuple[int, int, int, int]:
        (thread,) = [each for each in threading.enumerate() if each.name == self._door.server.name]
        assert thread.ident is not None
        serving = time.clock_gettime_ns(time.pthread_getcpuclockid(thread.ident))
        fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return self._encode_ns, self._publish_ns, serving, int(fields[12]) * NS // os.sysconf("SC_CLK_TCK")

    def _film_on(self) -> None:
        mask, cover = PrivacyMask("solid"), Cover.none_needed()
        small = np.zeros((360, 640), np.uint8)
        began_ns = time.monotonic_ns()
        number = 0
        while not self._over.is_set():
            planes = self._planes[number % FRAMES]
            self._drawn[number & 0xFFFF] = now_ns = time.monotonic_ns()
            draw_number(planes.y, number & 0xFFFF)
            frame = mask.apply(RawFrame(planes, FrameTime(number, now_ns, time.time_ns()), small=small), cover)
            before = time.thread_time_ns()
            units = self._encoder.encode(frame)
            between = time.thread_time_ns()
            for unit in units:
                self._broadcast.publish(unit)
            self._encode_ns += between - before
            self._frames += 1
            self._publish_ns += time.thread_time_ns() - between
            number += 1
            self._over.wait(max(0.0, (began_ns + number * NS // FPS - time.monotonic_ns()) / NS))


class _BareLine:
    """A listener of the broadcast that writes each unit to whoever has connected last, with its length before it."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._line: socket.socket | None = None
        self.port = self._listener.getsockname()[1]

    def offer(self, unit: AccessUnit) -> None:
        with suppress(BlockingIOError):
            self._line, _ = self._listener.accept()
            self._line.setblocking(True)
        if self._line is not None:
            try:
                self._line.sendall(len(unit.data).to_bytes(4, "big") + unit.data)
            except OSError:
                self._line = None

    def offer_closing(self, closing: AccessUnit) -> None:
        """No frame."""


def _film() -> list[Planes]:
    found: list[Planes] = []
    with av.open(str(film_1080p25())) as film:
        for picture in film.decode(video=0):
            small = picture.reformat(WIDTH, HEIGHT, "yuv420p")
            packed = np.asarray(small.to_ndarray(), np.uint8)
            found.append(Planes.over(np.ascontiguousarray(packed).reshape(-1), WIDTH, HEIGHT))
            if len(found) == FRAMES:
                break
    return found


def _memory(identity: IdentityDirectory) -> float:
    """What a node's process grows by when the server listens, in MB."""
    command = [sys.executable, "-c", _MEMORY, str(identity.chain_path), str(identity.key_path)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout)


def _percentile(values: Sequence[float], percent: float) -> float:
    return round(float(np.percentile(values, percent)), 3)
