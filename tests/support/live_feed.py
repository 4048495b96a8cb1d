"""A signed stream in real time, without a camera: a short film again and again through the node's signer and broadcast."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from msgspec.structs import replace

from agent.base.clock import NS
from agent.identity.node_key import IdentityDirectory
from agent.picture.access_unit import AccessUnit, VideoFormat
from agent.signing.media_signing import MediaSigner
from agent.stream.broadcast import Broadcast
from hardware.encoding import parameter_sets
from tests.support.signed_film import VENDOR, encode

RATE = 25


class LiveFeed:
    """`sent` are the units as they left the signer. Use it in a `with`, or drive it with `publish`."""

    def __init__(self, directory: Path, *, gop: int = 10, size: str = "128x96", crf: int = 30) -> None:
        identity = IdentityDirectory(directory / "identity")
        self.signer = identity.init("cam-1")
        self.identity = identity
        self.broadcast = Broadcast(MediaSigner(self.signer, VENDOR))
        self.broadcast.attach(self)
        self.sent: list[AccessUnit] = []
        self._film = encode(directory / "feed.mp4", gop=gop, pictures=50, size=size, rate=RATE, crf=crf)
        width, height = map(int, size.split("x"))
        video = VideoFormat("h264", width, height, RATE, parameter_sets(self._film[0].data))
        self.broadcast.begin(lambda: video)
        self.silent = threading.Event()
        """Set: no frame is made meanwhile."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._number = 0
        self._base_ns = time.monotonic_ns()
        self._wall_ns = time.time_ns()

    def offer(self, unit: AccessUnit) -> None:
        self.sent.append(unit)

    def offer_closing(self, closing: AccessUnit) -> None:
        self.sent.append(closing)

    def publish(self) -> None:
        """The next frame, now."""
        unit = self._film[self._number % len(self._film)]
        at_ns = self._number * NS // RATE
        pts_ns = self._base_ns + at_ns
        self.broadcast.publish(replace(unit, pts_ns=pts_ns, dts_ns=pts_ns, wall_ns=self._wall_ns + at_ns, index=self._number))
        self._number += 1

    def _run(self) -> None:
        while not self._over.is_set():
            if self.silent.is_set():
                self._number += 1
            else:
                self.publish()
            due_ns = self._base_ns + self._number * NS // RATE
            self._over.wait(max(0.0, (due_ns - time.monotonic_ns()) / NS))

    def __enter__(self) -> LiveFeed:
        self._base_ns, self._wall_ns = time.monotonic_ns(), time.time_ns()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
