"""A whole node on a battery that runs down: fewer pictures, then a closed camera, then a clean end that says where it was."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import SystemClock
from agent.config.load import load
from agent.events.outbox_store import OutboxStore
from agent.events.row import event_of
from agent.node import drivers, last_minute
from agent.node.node import Node
from agent.node.supervisor import Ending
from agent.node.wiring import build
from agent.ports.battery import PowerMetrics
from agent.ports.event import Event
from agent.ports.position import Fix
from agent.sensors import savings_watch, sensors
from agent.sensors.position_watch import GEO_LOCATION
from agent.sensors.sensors import SensorDrivers
from agent.stream.camera_feature import CameraFeature
from agent.stream.sparing_shutter import SPARED, SparingShutter
from agent.stream.thinning import Thinning
from agent.uplink.health_feature import HealthFeature
from tests.support.deadline import until
from tests.support.nmea import CHALON

CONFIG = """\
[node]
id = "pole-7"
state_dir = "state"
[camera]
driver = "synthetic"
width = 320
height = 240
fps = 25
[privacy.none_needed]
by = "A. Martin"
on = 2026-01-02
why = "a wall without windows around it"
[console]
enabled = false
[nomad]
battery = "sysfs"
gps = "gpsd"
when_critical = "close"
power_off = true
least_fps = 6.0
"""


@dataclass
class Gauge:
    """What a test says of the battery."""

    percent: float = 90.0
    charging: bool = False

    def read(self) -> PowerMetrics:
        return PowerMetrics(percent=self.percent, state="charging" if self.charging else "discharging")

    def close(self) -> None: ...


class Receiver:
    """It stands on the square, and hears so each time."""

    def read(self) -> Fix:
        return Fix(*CHALON, time.monotonic_ns())

    def close(self) -> None: ...


def standing(directory: Path) -> list[Event]:
    """The last event of each property, as it lies on the ended node's disk."""
    store = OutboxStore(directory / "state" / "outbox.sqlite3", SystemClock())
    try:
        return [event_of(row.body) for row in store.standing()]
    finally:
        store.close()


class Running:
    """A node that runs on a thread, with a battery of ours."""

    def __init__(self, node: Node, gauge: Gauge, directory: Path) -> None:
        self.node, self.gauge, self.directory = node, gauge, directory
        self.endings: list[Ending] = []
        self._thread = threading.Thread(target=lambda: self.endings.append(node.run()), daemon=True)
        self._thread.start()

    @property
    def health(self) -> dict[str, Any]:
        return self.node.house.find(HealthFeature).publisher.document()

    def stop(self) -> None:
        self.node.supervisor.stop()
        self._thread.join(60)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Rungs are taken at once here: how long one must last is the ladders' own matter."""
    gauge = Gauge()
    for name in ("_DOWN_NS", "_UP_NS"):
        monkeypatch.setattr(savings_watch, name, 0)
    for module, name, value in ((sensors, "EVERY_S", 0.5), (sensors, "SOON_S", 0.2), (last_minute, "TELLING_NS", 0)):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(drivers, "open_sensors", lambda *_: SensorDrivers(positions=Receiver(), battery=gauge))
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    made = Running(build(load(path), path), gauge, tmp_path)
    yield made
    made.stop()


def test_a_battery_that_runs_down_thins_closes_and_ends_the_node_in_order(running: Running) -> None:
    """Fewer pictures, then a closed camera and a finished film, open again when charged; at last one word of where it is."""
    capture = running.node.house.find(CameraFeature).capture
    pipeline = running.node._pipeline
    until(lambda: pipeline.encoded > 50, "it films")
    assert capture.spared == 0
    running.gauge.percent = 25.0
    until(lambda: capture.spared > 40, "pictures are spared")
    shown = pipeline.encoded
    until(lambda: pipeline.encoded > shown + 10, "others are filmed all the same")
    running.gauge.percent = 10.0
    until(lambda: running.health["camera"]["state"] == "closed", "the camera is closed")
    assert running.health["camera"]["reason"] == SPARED
    until(lambda: running.health["recording"]["state"] != "recording", "its film is finished")
    running.gauge.percent, running.gauge.charging = 60.0, True
    until(lambda: running.health["camera"]["state"] == "delivering", "it films again")
    running.gauge.percent, running.gauge.charging = 2.0, False
    until(lambda: bool(running.endings), "it ends")
    assert running.endings == [Ending.EMPTY]
    (where,) = [event for event in standing(running.directory) if event.topic == GEO_LOCATION]
    assert (where.data["lat"], where.data["lon"]) == (round(CHALON[0], 6), round(CHALON[1], 6))


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize(("dark", "covered"), [("out of place", ""), ("", "not commissioned"), ("", "")])
def test_a_battery_can_close_what_a_shutter_leaves_and_opens_nothing(closed: bool, dark: str, covered: str) -> None:
    """Whatever the deployment closes stays closed at least as far; with a battery's words the camera is closed."""

    class Ruled:
        def dark(self) -> str:
            return dark

        def covered(self) -> str:
            return covered

    shutter = SparingShutter(Ruled())
    shutter.closed = closed
    assert shutter.dark() == (dark or (SPARED if closed else ""))
    assert shutter.covered() == ("" if closed else covered)
    alone = SparingShutter(None)
    alone.closed = closed
    assert (bool(alone.dark()), alone.covered()) == (closed, "")


@given(
    most_fps=st.floats(1, 30),
    gaps_ms=st.lists(st.integers(1, 400), min_size=2, max_size=200),
)
def test_no_more_pictures_than_are_wanted_and_no_hole_that_need_not_be(most_fps: float, gaps_ms: list[int]) -> None:
    """Whatever the camera's rhythm: their mean rate stays below, and what stands out comes within one turn and a picture."""
    thinning, at_ns, taken, times = Thinning(most_fps), 10**9, [], []
    for gap_ms in gaps_ms:
        at_ns += gap_ms * 1_000_000
        times.append(at_ns)
        if not thinning.leaves_out(at_ns):
            taken.append(at_ns)
    step_ns = 10**9 / most_fps
    assert taken[0] == times[0]
    assert len(taken) <= (times[-1] - times[0]) / step_ns + 2
    for before, after in pairwise(taken):
        assert not [at for at in times if before + step_ns + 1 < at < after]
    assert not Thinning().leaves_out(times[0])
