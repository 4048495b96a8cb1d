"""A push over a line of 400 kbit/s: its delay, and how soon it is back after a blackout, or after a NAT forgot it. Needs root.

Options: --kbit 400, --seconds 30, --blackout 8, --crf 3. The stream is faster than the line: frames must be dropped.
`--by tbf` (as it is): two network namespaces and the kernel's own shaping. `--by tun`: a line as a mobile one is, with
--delay 80 and --jitter 40 (ms), --loss 1 (percent), and a NAT that forgets after --nat 30 (seconds) without a packet.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.base.clock import NS, SystemClock
from bench.line import Line, ip, line
from bench.tun_line import LineQuality, tun_line
from hardware.live_push.door import PushDoor
from tests.support.deadline import until
from tests.support.live_feed import LiveFeed
from tests.support.small_gate import SmallGate

ROOT = Path(__file__).resolve().parents[1]
PORT = 8554


@dataclass(frozen=True)
class _Way:
    """To the relay: its address there, what starts a program there, and how it is cut off and joined again."""

    far: str
    wrap: tuple[str, ...]
    cut: Callable[[], None]
    mend: Callable[[], None]
    nat_s: float = 0.0


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Prints the figures and returns them."""

    def given(name: str, usual: float) -> float:
        return float(str(options.get(name, usual)))

    ways = {"tbf": _shaped, "tun": _mobile}
    with ways[str(options.get("by", "tbf"))](given) as way, tempfile.TemporaryDirectory() as directory:
        command = [*way.wrap, sys.executable, "-m", "bench.live_relay", str(PORT)]
        relay = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            with LiveFeed(Path(directory), gop=25, size="1280x720", crf=round(given("crf", 3))) as feed:
                metrics = _Push(feed, relay, way).measure(given("seconds", 30), given("blackout", 8))
        finally:
            relay.kill()
            relay.communicate()
    for name, value in metrics.items():
        print(f"{name:<24} {value}")
    return metrics


@contextmanager
def _shaped(given: Callable[[str, float], float]) -> Iterator[_Way]:
    """By the kernel. The far end is cut off: were it ours, its route would go, and what is meant for the relay another way."""
    with line() as shaped:
        _narrow(shaped, round(given("kbit", 400)))
        far_end = ("-n", shaped.namespace, "link", "set", shaped.interface.replace("vgo", "vgi"))
        far = shaped.address.rpartition(".")[0] + ".2"
        yield _Way(far, shaped.wrap, lambda: ip(*far_end, "down"), lambda: ip(*far_end, "up"))


@contextmanager
def _mobile(given: Callable[[str, float], float]) -> Iterator[_Way]:
    """By our own hands."""
    quality = LineQuality(given("delay", 80) / 1000, given("jitter", 40) / 1000, given("kbit", 400), given("loss", 1) / 100)
    quality.forgets_s = given("nat", 30)

    def cut(is_cut: bool) -> None:
        quality.is_cut = is_cut

    with tun_line(quality) as tun:
        yield _Way(tun.far, tun.wrap, lambda: cut(True), lambda: cut(False), quality.forgets_s)


class _Push:
    """The node's end, and what the relay says came."""

    def __init__(self, feed: LiveFeed, relay: subprocess.Popen[str], way: _Way) -> None:
        self._feed, self._relay, self._way = feed, relay, way
        self._gate = SmallGate(feed.broadcast)
        identity = feed.identity
        self._door = PushDoor(
            self._gate,
            f"rtsp://{way.far}:{PORT}/live",
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
            self._way.cut()
            time.sleep(blackout_s)
            cut = len(self._came)
            self._way.mend()
            mended_ns = time.monotonic_ns()
            until(lambda: len(self._came) > cut, "it comes back")
            back_s = (self._came[cut][1] - mended_ns) / NS
            time.sleep(seconds)
            metrics = {**self._delays(cut), "back_after_blackout_s": round(back_s, 2), **self._after_silence()}
        finally:
            component.stop()
            component.join(30)
        return {**metrics, "worst_allowed": {"delay_s": 2, "back_s": 5}}

    def _after_silence(self) -> dict[str, object]:
        """No frame for longer than the NAT remembers: how soon the next one arrives, and over how many connections."""
        if not self._way.nat_s:
            return {}
        before = len(self._gate.register)
        self._feed.silent.set()
        time.sleep(self._way.nat_s + 10)
        cut, went_on_ns = len(self._came), time.monotonic_ns()
        self._feed.silent.clear()
        until(lambda: len(self._came) > cut, "it goes on")
        back_s = (self._came[cut][1] - went_on_ns) / NS
        return {"back_after_silence_s": round(back_s, 2), "broken_in_silence": len(self._gate.register) - before}

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


def _narrow(shaped: Line, kbit: int) -> None:
    """So much a second leaves by our end, and little waits in front of it."""
    words = ["tc", "qdisc", "add", "dev", shaped.interface, "root", "tbf", "rate", f"{kbit}kbit", "burst", "8kb", "limit", "32kb"]
    subprocess.run(words, check=True)
