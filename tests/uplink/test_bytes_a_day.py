"""What a nomadic unit's line carries a day with nothing to tell: measured where the line ends, on real TLS to a real broker.

Nobody waits for a day. What one health message, one keep-alive and one connection cost is counted at the line's end, packet
by packet with all that TCP and TLS add; a day is so many of each. Nothing gets cheaper by being sent oftener: each message is
seconds from the next, in packets of its own.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.demo.broker import LocalBroker, free_port
from bench.line import Line, line
from tests.support.authority import Authority
from tests.support.footage import REPOSITORY
from tests.support.independent_hub import Subscriber
from tests.support.parts import program, root

pytestmark = pytest.mark.lane("root")

DAY_S = 86_400.0
ETHERNET_BYTES = 14
"""A mobile line has no such header."""
KEEPALIVE_S = 10
BIRTHS = 30
"""Once an hour, and oftener after a connection, the status is said again..."""
BIRTH_OVERHEAD_BYTES = 300
"""...in two packets with their headers and properties, and two acknowledgements."""
DEADLINE_S = 120.0

CONFIG = """\
[node]
id = "nomad-1"
role = "nomadic"
state_dir = "state"
[camera]
driver = "synthetic"
width = 320
height = 240
fps = 2
[privacy.none_needed]
by = "A. Martin"
on = 2026-01-02
why = "a wall without windows around it"
[console]
enabled = false
[mqtt]
url = "mqtts://{address}:{port}"
ca_file = "{ca}"
cert_file = "{cert}"
key_file = "{key}"
health_seconds = {health}
keepalive_seconds = {keepalive}
"""


class Meter:
    """Counts at our end of the line, both directions, as IP."""

    def __init__(self, at: Line) -> None:
        self._at = Path("/sys/class/net") / at.interface / "statistics"

    def read(self) -> int:
        counted = {name: int((self._at / name).read_text()) for name in ("rx_bytes", "tx_bytes", "rx_packets", "tx_packets")}
        packets = counted["rx_packets"] + counted["tx_packets"]
        return counted["rx_bytes"] + counted["tx_bytes"] - ETHERNET_BYTES * packets


class Unit:
    """A node at the far end of the line, told from here how often to speak."""

    def __init__(self, directory: Path, address: str, port: int, authority: Authority) -> None:
        self._config = directory / "config.toml"
        pair = authority.issue("nomad-1")
        self._facts = {"address": address, "port": port, "ca": authority.ca, "cert": pair.cert, "key": pair.key}
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, health: int) -> None:
        self._config.write_text(CONFIG.format(**self._facts, health=health, keepalive=KEEPALIVE_S))

    @contextmanager
    def running(self, wrap: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
        command = [*wrap, sys.executable, "-m", "agent", "run", "--config", str(self._config)]
        with (self._config.parent / "log").open("wb") as log:
            node = subprocess.Popen(command, cwd=REPOSITORY, stderr=log, stdout=log)
            try:
                yield node
            finally:
                node.send_signal(signal.SIGTERM)
                assert node.wait(DEADLINE_S) == 0


def until(so: Callable[[], bool]) -> None:
    """Within the deadline."""
    end = time.monotonic() + DEADLINE_S
    while not so():
        assert time.monotonic() < end
        time.sleep(0.01)


Window = tuple[float, int, int]
"""Seconds, health messages in them, and bytes."""


def sessions(hub: Subscriber) -> int:
    """How many the node has had: each has its own beginning."""
    return len({json.loads(heard.payload)["since"] for heard in hub.on("nomad-1/status")})


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Bytes of one connection with all states, of one health message, and of one keep-alive."""
    root()
    program("ip", "iproute2")
    directory = tmp_path_factory.mktemp("day")
    authority, port = Authority(directory / "ca"), free_port()
    with line() as at:
        server = authority.issue("broker", server=at.address)
        tls = f"cafile {authority.ca}\ncertfile {server.cert}\nkeyfile {server.key}\nrequire_certificate true\n"
        settings = f"allow_anonymous true\nlistener {port} {at.address}\n{tls}"
        with LocalBroker(directory / "broker", settings=settings) as broker:
            hub, meter = Subscriber(broker.port), Meter(at)
            unit = Unit(directory, at.address, port, authority)

            def told() -> int:
                return len(hub.on("nomad-1/health"))

            def undisturbed(measured: Callable[[], Window]) -> Window:
                """One in which a busy machine did not let the session die."""
                while True:
                    before, window = sessions(hub), measured()
                    if sessions(hub) == before:
                        return window

            def digest() -> object:
                return json.loads(hub.on("nomad-1/health")[-1].payload)["config_digest"]

            unit.write(health=2)
            with unit.running(at.wrap) as node:
                until(lambda: told() >= 1)
                connection = float(meter.read())
                until(lambda: told() >= 3)
                often = undisturbed(lambda: spent(meter, hub, lambda seconds, messages: messages >= 10 and seconds >= 20))
                first = digest()
                unit.write(health=3600)
                node.send_signal(signal.SIGHUP)
                until(lambda: digest() != first)
                spent(meter, hub, lambda seconds, _: seconds >= KEEPALIVE_S)  # what the reload itself had to tell
                seldom = undisturbed(lambda: spent(meter, hub, lambda seconds, _: seconds >= 4 * KEEPALIVE_S))
            birth = float(birth_bytes(hub))
            hub.close()
    return {"connection": connection, "birth": birth, **shares(often, seldom)}


def spent(meter: Meter, hub: Subscriber, so: Callable[[float, int], bool]) -> Window:
    """From now on until it is so; births, which are rarer than pings, are taken out and counted for themselves."""
    told_before, births_before = len(hub.on("nomad-1/health")), len(hub.on("nomad-1/status"))
    bytes_before, began = meter.read(), time.monotonic()
    until(lambda: so(time.monotonic() - began, len(hub.on("nomad-1/health")) - told_before))
    births = (len(hub.on("nomad-1/status")) - births_before) * birth_bytes(hub)
    seconds, messages = time.monotonic() - began, len(hub.on("nomad-1/health")) - told_before
    return seconds, messages, meter.read() - bytes_before - births


def birth_bytes(hub: Subscriber) -> int:
    """Of one on the line."""
    return max(len(heard.payload) for heard in hub.on("nomad-1/status")) + BIRTH_OVERHEAD_BYTES


def shares(often: Window, seldom: Window) -> dict[str, float]:
    """Of a health message and of a keep-alive, from two windows that have them in different numbers."""
    (time_a, told_a, bytes_a), (time_b, told_b, bytes_b) = often, seldom
    health = (bytes_a * time_b - bytes_b * time_a) / (told_a * time_b - told_b * time_a)
    return {"health": health, "keep-alive": (bytes_b - health * told_b) / time_b * KEEPALIVE_S}


@pytest.mark.parametrize(("health_s", "keepalive_s", "most_mb"), [(60, 60, 3.0), (300, 240, 0.65), (3600, 240, 0.15)])
def test_a_quiet_day_stays_within_its_bound(costs: dict[str, float], health_s: int, keepalive_s: int, most_mb: float) -> None:
    """On the mains, as a nomadic unit is by default, and with a battery that is nearly empty; one reconnection included."""
    messages, silences = DAY_S / health_s, DAY_S / keepalive_s
    spent = costs["connection"] + messages * costs["health"] + silences * costs["keep-alive"] + BIRTHS * costs["birth"]
    assert 0 < spent / 1e6 <= most_mb, (spent, costs)
