"""The position from a real gpsd that hears a played receiver: standing, carried off, without fix, without date, killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.base.clock import SystemClock
from agent.base.errors import DeviceError
from agent.ports.position import Fix
from agent.sensors.place import Place
from agent.sensors.position_watch import MOVED, PositionWatch
from hardware.gps_gpsd import GpsdPositions
from tests.support.manual_clock import ManualClock
from tests.support.nmea import CHALON, walk
from tests.support.parts import program

pytestmark = pytest.mark.lane("sensors")

DEADLINE_S = 60.0
SENTENCE_S = 0.01
"""A second of the receiver's passes in three of these."""


class Receiver:
    """gpsfake, and the gpsd that it starts."""

    def __init__(self, log: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        played = [program("gpsfake", "gpsd-clients"), "-q", "-c", str(SENTENCE_S), "-P", str(self.port), str(log)]
        program("gpsd", "gpsd")
        self._fake = subprocess.Popen(
            played, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True
        )
        until = time.monotonic() + DEADLINE_S
        while not self._listens():
            assert time.monotonic() < until, "gpsd did not come up"

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    def _listens(self) -> bool:
        assert self._fake.poll() is None, "gpsfake ended"
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(self.address) == 0

    def daemon(self) -> int:
        """The pid of gpsd, a child of gpsfake's."""
        children = Path(f"/proc/{self._fake.pid}/task").glob("*/children")
        (found,) = {int(pid) for path in children for pid in path.read_text().split()}
        return found

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._fake.pid, signal.SIGKILL)
        self._fake.wait()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Callable[[str], Receiver]]:
    """Plays a log over and over; gone when the test is."""
    made: list[Receiver] = []

    def play(log: str) -> Receiver:
        path = tmp_path / f"{len(made)}.nmea"
        path.write_text(log)
        made.append(Receiver(path))
        return made[-1]

    yield play
    for each in made:
        each.end()


def fixes(driver: GpsdPositions, count: int) -> list[Fix]:
    """So many different ones."""
    found: list[Fix] = []
    until = time.monotonic() + DEADLINE_S
    while len(found) < count:
        assert time.monotonic() < until, f"{len(found)} of {count}"
        fix = driver.read()
        if fix is not None and (not found or fix.heard_ns != found[-1].heard_ns):
            found.append(fix)
    return found


def test_a_receiver_that_stands_is_where_it_stands(receiver: Callable[[str], Receiver]) -> None:
    """Within a metre, with its own time and an error that it owns to."""
    driver = GpsdPositions(SystemClock(), receiver(walk([0.0] * 200)).address)
    last = fixes(driver, 20)[-1]
    driver.close()
    assert Place(last.latitude, last.longitude).metres_to(Place(*CHALON)) < 1
    assert last.at.startswith("2026-06-01T")
    assert last.error_m is None or last.error_m > 0


def test_one_that_is_carried_off_raises_moved(receiver: Callable[[str], Receiver]) -> None:
    """Two minutes on the square, then off at five metres a second: noticed within the minute that its median takes."""
    log = walk([0.0] * 120 + [5.0 * n for n in range(200)])
    driver, clock = GpsdPositions(SystemClock(), receiver(log).address), ManualClock()
    watch = PositionWatch("pole-7", 100.0, clock)
    watch.home = Place(*CHALON)
    seen: list[tuple[float, bool]] = []
    until, last = time.monotonic() + DEADLINE_S, ""
    while not any(moved for _, moved in seen):
        assert time.monotonic() < until, seen
        fix = driver.read()
        if fix is None or not fix.at or fix.at == last:
            continue
        clock.advance(1)
        last = fix.at
        heard = Fix(fix.latitude, fix.longitude, clock.monotonic_ns(), fix.error_m)
        metres = Place(fix.latitude, fix.longitude).metres_to(Place(*CHALON))
        seen += [(metres, bool(event.data["State"])) for event in watch.observe(heard) if event.topic == MOVED]
    driver.close()
    assert [moved for _, moved in seen][-1] is True
    assert seen[-1][0] > 100


def test_a_receiver_under_a_roof_has_no_fix_and_is_there(receiver: Callable[[str], Receiver]) -> None:
    """None, again and again, and no failure."""
    driver = GpsdPositions(SystemClock(), receiver(walk([0.0] * 200, fix=False)).address)
    began = time.monotonic()
    while time.monotonic() < began + 2:
        assert driver.read() is None
    driver.close()


def test_before_the_date_is_known_there_is_a_place_without_a_time(receiver: Callable[[str], Receiver]) -> None:
    """A receiver that was switched on just now."""
    driver = GpsdPositions(SystemClock(), receiver(walk([0.0] * 200, dated=False)).address)
    until = time.monotonic() + DEADLINE_S
    while (fix := driver.read()) is None:
        assert time.monotonic() < until
    driver.close()
    assert fix.at == ""
    assert Place(fix.latitude, fix.longitude).metres_to(Place(*CHALON)) < 1


def test_a_gpsd_that_is_killed_is_told_and_taken_again(receiver: Callable[[str], Receiver]) -> None:
    """In words, each time it is asked; once another one listens there is a fix again."""
    first = receiver(walk([0.0] * 200))
    driver = GpsdPositions(SystemClock(), first.address)
    fixes(driver, 3)
    os.kill(first.daemon(), signal.SIGKILL)
    with pytest.raises(DeviceError, match=r"has ended|broke"):
        fixes(driver, 10_000)
    first.end()
    with pytest.raises(DeviceError, match="does not answer"):
        driver.read()
    second = receiver(walk([0.0] * 200))
    driver = GpsdPositions(SystemClock(), second.address)
    fixes(driver, 3)
    driver.close()
