"""What systemd hears, on a real notification socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.base.errors import DeviceError
from agent.ports.host import ServiceManager
from hardware.systemd_service import NoServiceManager, SystemdService, service_manager


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], dict[str, str]]]:
    """Systemd's end of the socket; each call is the next message, as assignments."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield lambda: dict(line.split("=", 1) for line in listener.recv(4096).decode().splitlines())


@pytest.mark.parametrize(
    ("tell", "wanted"),
    [
        (lambda service: service.ready(), {"READY": "1"}),
        (lambda service: service.alive(), {"WATCHDOG": "1"}),
        (lambda service: service.still_starting(25), {"EXTEND_TIMEOUT_USEC": "25000000"}),
        (lambda service: service.stopping(), {"STOPPING": "1"}),
        (lambda service: service.status("masked, 25 fps"), {"STATUS": "masked, 25 fps"}),
        (lambda service: service.status("torn\nREADY=1"), {"STATUS": "torn READY=1"}),
    ],
)
def test_messages(heard: Callable[[], dict[str, str]], tell: Callable[[ServiceManager], None], wanted: dict[str, str]) -> None:
    """Each call is the message of sd_notify(3), and text cannot smuggle in another assignment."""
    tell(service_manager())
    assert heard() == wanted


def test_reload_carries_its_instant(heard: Callable[[], dict[str, str]]) -> None:
    """Type=notify-reload needs the monotonic time at which the reload began, in microseconds."""
    before = time.monotonic_ns() // 1000
    service_manager().reloading()
    message = heard()
    assert message["RELOADING"] == "1"
    assert before <= int(message["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000


def test_vanished_socket_does_not_end_the_daemon(tmp_path: Path) -> None:
    """Systemd gone or re-executing: the daemon keeps recording."""
    env = {"NOTIFY_SOCKET": str(tmp_path / "gone")}
    program = "from hardware.systemd_service import service_manager as s; m = s(); m.alive(); m.ready(); print('alive')"
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | env, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("alive\n", "")


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"WATCHDOG_USEC": "20000000"}, 20.0),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_watchdog_interval(environment: dict[str, str], wanted: float | None) -> None:
    """The unit's WatchdogSec, when it is meant for this process and is a number."""
    assert SystemdService(environment).watchdog_s == wanted


def test_by_hand_nobody_listens() -> None:
    """Without NOTIFY_SOCKET every call is accepted and nothing is expected."""
    service = service_manager({})
    assert isinstance(service, NoServiceManager)
    for tell in (service.ready, service.alive, service.reloading, service.stopping):
        tell()
    service.status("by hand")
    assert service.watchdog_s is None


def test_inherited_socket_is_left_alone() -> None:
    """A demonstration inside some service's terminal does not speak for that service; systemd's own child does."""
    socket_of_another = {"NOTIFY_SOCKET": "/run/systemd/notify"}
    assert isinstance(service_manager(socket_of_another | {"SYSTEMD_EXEC_PID": "1"}), NoServiceManager)
    assert isinstance(service_manager(socket_of_another | {"SYSTEMD_EXEC_PID": str(os.getpid())}), SystemdService)


def test_missing_module_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that systemd waits for must not start unable to answer."""
    monkeypatch.setitem(sys.modules, "systemd.daemon", None)
    with pytest.raises(DeviceError, match="python3-systemd"):
        service_manager({"NOTIFY_SOCKET": "/run/systemd/notify"})
