"""A push over a line of 400 kbit/s between two network namespaces: its delay, and how soon it is back after a blackout.

Options: --kbit 400, --seconds 30, --blackout 8, --crf 3. The stream is faster than the line: frames must be dropped. Needs root.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from agent.base.clock import NS, SystemClock
from bench.line import Line, ip, line
from hardware.live_push.door import PushDoor
from tests.support.deadline import until
from tests.support.live_feed import LiveFeed
from tests.support.small_gate import SmallGate

ROOT = Path(__file__).resolve().parents[1]
PORT = 8554


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Prints the figures and returns them."""
    kbit, seconds = int(str(options.get("kbit", 400))), float(str(options.get("seconds", 30)))
    blackout_s = float(str(options.get("blackout", 8)))
    with line() as shaped, tempfile.TemporaryDirectory() as directory:
        _narrow(shaped, kbit)
        command = [*shaped.wrap, sys.executable, "-m", "bench.live_relay", str(PORT)]
        relay = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            with LiveFeed(Path(directory), gop=25, size="1280x720", crf=int(str(options.get("crf", 3)))) as feed:
                metrics = _Push(feed, relay, shaped).measure(seconds, blackout_s)
        finally:
            relay.kill()
            relay.communicate()
    for name, value in metrics.items():
        print(f"{name:<24} {value}")
    return metrics


class _Push:
    """The node's end, and what the relay says came."""

    def __init__(self, feed: LiveFeed, relay: subprocess.Popen[str], shaped: Line) -> None:
        self._feed, self._relay, self._line = feed, relay, shaped
        self._gate = SmallGate(feed.broadcast)
        far = shaped.address.rpartition(".")[0] + ".2"
        identity = feed.identity
        self._door = PushDoor(
            self._gate,
            f"rtsp://{far}:{PORT}/live",
            identity.ca_path,
            identity.chain_path,
            identity.key_path,
            SystemClock(),
        )
        self._came: list[tuple[int, int]] = []

    def measure(self, seconds: float, blackout_s: float) -> dict[str, object]:
        """Delay before and after a blackout, each for so long, and how long after its end the next frame came."""
        assert self._relay.stdout is not None
        assert self._relay.stdout.readline() == "listening\n"
        threading.Thread(target=self._listen, daemon=True).start()
        (component,) = self._door.components()
        component.start()
        self._door.opened(self._gate.open().lease)
        try:
            until(lambda: self._came, "it arrives")
            time.sleep(seconds)
            _far_end(self._line, "down")
            time.sleep(blackout_s)
            cut = len(self._came)
            _far_end(self._line, "up")
            mended_ns = time.monotonic_ns()
            until(lambda: len(self._came) > cut, "it comes back")
            back_s = (self._came[cut][1] - mended_ns) / NS
            time.sleep(seconds)
        finally:
            component.stop()
            component.join(30)
        return {**self._delays(cut), "back_after_blackout_s": round(back_s, 2), "worst_allowed": {"delay_s": 2, "back_s": 5}}

    def _delays(self, cut: int) -> dict[str, object]:
        stamp = self._door.components()[0].packetiser.timestamp  # type: ignore[attr-defined]
        made = {stamp(unit.pts_ns): unit.pts_ns for unit in self._feed.sent}
        delays = [(at_ns - made[time]) / NS for time, at_ns in self._came]
        mbit = sum(len(unit.data) for unit in self._feed.sent) * 8 / 1e6
        stream_s = (self._feed.sent[-1].pts_ns - self._feed.sent[0].pts_ns) / NS
        return {
            "stream_kbit_s": round(mbit / stream_s * 1000),
            "frames_arrived": len(self._came),
            "frames_made": len(self._feed.sent),
            "delay_s_p50": round(float(np.percentile(delays, 50)), 2),
            "delay_s_p95": round(float(np.percentile(delays, 95)), 2),
            "delay_s_worst_before": round(max(delays[:cut]), 2),
            "delay_s_worst_after": round(max(delays[cut:]), 2),
            "connections": len([entry for entry in self._gate.register if not entry.why]),
        }

    def _listen(self) -> None:
        assert self._relay.stdout is not None
        for said in self._relay.stdout:
            stamp, at_ns = said.split()
            self._came.append((int(stamp), int(at_ns)))


def _far_end(shaped: Line, state: str) -> None:
    """The other end is cut off: were it ours, its route would go, and what is meant for the relay another way."""
    ip("-n", shaped.namespace, "link", "set", shaped.interface.replace("vgo", "vgi"), state)


def _narrow(shaped: Line, kbit: int) -> None:
    """So much a second leaves by our end, and little waits in front of it."""
    words = ["tc", "qdisc", "add", "dev", shaped.interface, "root", "tbf", "rate", f"{kbit}kbit", "burst", "8kb", "limit", "32kb"]
    subprocess.run(words, check=True)
