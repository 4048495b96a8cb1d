"""The MQTT session on a mobile line: alarms beside stills at 64 kbit/s, and NATs that forget. Needs root and mosquitto.

Every figure is taken at the hub's end, beyond a line of `bench.tun_line`. Options: --kbit 64, --alarms 40, --scale 10. The NATs
forget after 30, 120 and 270 s without a packet, and the session keeps alive every 240 s: all of these divided by `scale`, side by
side. `--scale 1` takes an hour. The one still that shows the line to be slow keeps an alarm waiting: `alarm_s_worst`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from agent.base.clock import NS
from agent.base.errors import DeviceError
from agent.demo.broker import mosquitto_program
from agent.ports.event import Event, Priority
from agent.uplink import keep_alive
from bench.line import ip
from bench.tun_line import LineQuality, TunLine, tun_line
from tests.support.deadline import until
from tests.support.uplink_node import UplinkNode

ROOT = Path(__file__).resolve().parents[1]
PORT = 1883
NATS_S = (30, 120, 270)
KEEPALIVE_S = 240
STILL_BYTES = 25_000
ALARM = "Device/vigie:Test/Alarm"


def run(options: Mapping[str, object]) -> dict[str, object]:
    """Prints the figures and returns them."""

    def given(name: str, usual: float) -> float:
        return float(str(options.get(name, usual)))

    if "nat" in options:
        return _told(_behind_a_nat(given("nat", 30), given("scale", 10)))
    scale = given("scale", 10)
    command = [sys.executable, "-c", "import sys; from bench.mobile_line import child; child(*sys.argv[1:])"]
    children = [
        subprocess.Popen([*command, str(nat_s), str(scale)], cwd=ROOT, stdout=subprocess.PIPE, text=True) for nat_s in NATS_S
    ]
    metrics: dict[str, object] = {}
    for nat_s, process in zip(NATS_S, children, strict=True):
        said, _ = process.communicate()
        metrics |= {f"nat_{nat_s}_s_{name}": value for name, value in json.loads(said).items()}
    return _told({**_alarms_beside_stills(given("kbit", 64), round(given("alarms", 40))), **metrics})


def child(nat_s: str, scale: str) -> None:
    """One NAT, in a process of its own: a line has its name from its process."""
    print(json.dumps(_behind_a_nat(float(nat_s), float(scale))))


def _told(metrics: dict[str, object]) -> dict[str, object]:
    for name, value in metrics.items():
        print(f"{name:<34} {value}")
    return metrics


@contextmanager
def broker_beyond(line: TunLine, directory: Path) -> Iterator[str]:
    """A mosquitto at the far end; its address."""
    conf = directory / "mosquitto.conf"
    conf.write_text(f"user root\nlistener {PORT} {line.far}\nallow_anonymous true\nset_tcp_nodelay true\n")
    process = subprocess.Popen([*line.wrap, mosquitto_program(), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        yield f"mqtt://{line.far}:{PORT}"
    finally:
        process.kill()
        process.wait()


class Ear:
    """What the hub at the far end heard: topic, number, and when on the one monotonic clock."""

    def __init__(self, line: TunLine) -> None:
        self.heard: list[tuple[str, int, int]] = []
        command = [*line.wrap, sys.executable, "-m", "bench.mobile_ear", line.far, str(PORT)]
        ip("-n", line.namespace, "link", "set", "lo", "up")
        for _ in range(20):  # the broker may be on its way
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            assert self._process.stdout is not None
            if self._process.stdout.readline():
                break
            self._process.wait()
        else:
            raise DeviceError("no hub can be had at the far end", remedy="see what mosquitto says there")
        threading.Thread(target=self._listen, daemon=True).start()

    def came_ns(self, number: int) -> int | None:
        """When the alarm of that number came."""
        return next((at_ns for topic, each, at_ns in self.heard if topic.endswith(ALARM) and each == number), None)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for said in self._process.stdout:
            topic, number, at_ns = said.rsplit(" ", 2)
            self.heard.append((topic, int(number), int(at_ns)))


@contextmanager
def _node(line: TunLine, **more: object) -> Iterator[tuple[UplinkNode, Ear]]:
    with tempfile.TemporaryDirectory() as directory, broker_beyond(line, Path(directory)) as url:
        ear = Ear(line)
        node = UplinkNode(Path(directory) / "n", url, audience_s=0.0, birth_again_s=1e6, birth_again_most_s=1e6, **more)  # type: ignore[arg-type]
        node.start()
        try:
            until(lambda: node.session.online and node.outbox.metrics().pending == 0, "it is online")
            yield node, ear
        finally:
            ear.close()
            line.quality.is_cut = False
            node.stop()


def _raised(node: UplinkNode, ear: Ear, number: int) -> float:
    """Seconds from an alarm to the hub."""
    began_ns = time.monotonic_ns()
    node.outbox.raise_event(Event(ALARM, node.clock.wall_ns(), {}, {"Number": number}, priority=Priority.ALARM))
    until(lambda: ear.came_ns(number) is not None, "the hub hears it")
    return ((ear.came_ns(number) or 0) - began_ns) / NS


def _alarms_beside_stills(kbit: float, alarms: int) -> dict[str, object]:
    with (
        tun_line(LineQuality(delay_s=0.05, kbit=kbit, queue_s=10)) as line,
        _node(line, stall_s=20.0, connect_timeout_s=20.0) as (node, ear),
    ):
        waited = []
        for number in range(alarms):
            seen = Event("VideoSource/MotionAlarm", node.clock.wall_ns(), {}, {"Number": number}, priority=Priority.PROPERTY)
            node.outbox.raise_with_still(seen, os.urandom(STILL_BYTES))
            waited.append(_raised(node, ear, number))
        held_back = node.outbox.metrics().pending
    return {
        "alarm_s_p50": round(float(np.percentile(waited, 50)), 2),
        "alarm_s_p95": round(float(np.percentile(waited, 95)), 2),
        "alarm_s_worst": round(max(waited), 2),
        "rows_held_back": held_back,
    }


def _behind_a_nat(nat_s: float, scale: float) -> dict[str, object]:
    """Sessions until one is not forgotten any more; then an alarm after a silence of three times the keep-alive."""
    keep_alive.LEAST_S = max(1, round(keep_alive.LEAST_S / scale))  # type: ignore[misc]
    longest_s = round(KEEPALIVE_S / scale)
    with (
        tun_line(LineQuality(delay_s=0.05, forgets_s=nat_s / scale)) as line,
        _node(line, keepalive_s=longest_s, stall_s=5.0, connect_timeout_s=5.0) as (node, ear),
    ):
        kept = node.session._core._keep_alive  # noqa: SLF001 - what it came down to is told nowhere else
        breaks, calm = _until_calm(node, 3.0 * longest_s, 20.0 * longest_s)
        if not calm:
            return {"breaks": breaks, "keep_alive_s": "not found in time"}
        alarm_s = _raised(node, ear, 1)
        return {"breaks": breaks, "keep_alive_s": round(kept.seconds * scale), "alarm_after_silence_s": round(alarm_s, 2)}


def _until_calm(node: UplinkNode, calm_s: float, most_s: float) -> tuple[int, bool]:
    """How often it broke until it had been online for so long, and whether it ever was."""
    breaks, was, since = 0, True, time.monotonic()
    ends = since + most_s
    while time.monotonic() - since < calm_s:
        if time.monotonic() > ends:
            return breaks, False
        online = node.session.online
        if online != was:
            breaks += was
            was, since = online, time.monotonic()
        time.sleep(0.02)
        if not online:
            since = time.monotonic()
    return breaks, True
