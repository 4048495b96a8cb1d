"""systemd as the daemon's service manager: readiness, watchdog and status, by systemd-python's `systemd.daemon`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from agent.base.errors import DeviceError
from agent.base.phrase import say
from agent.ports.host import ServiceManager


class SystemdService:
    """`agent.ports.host.ServiceManager` over the socket systemd names in NOTIFY_SOCKET. Any thread; never blocks long.

    A message that cannot be delivered is no reason to end a running daemon: systemd's own deadlines decide then.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        try:
            from systemd.daemon import notify
        except ImportError:
            raise DeviceError(
                say("systemd started this daemon (NOTIFY_SOCKET is set) but Python's module `systemd` is missing"),
                remedy=say("`apt install python3-systemd`, or pip install 'vigie[systemd]'; or unset NOTIFY_SOCKET"),
            ) from None
        self._notify = notify
        self._watchdog_s = _watchdog_s(environment)

    def ready(self) -> None:
        """`systemctl start` returns, units ordered after this one start, and a reload is over."""
        self._tell("READY=1")

    def still_starting(self, seconds: float) -> None:
        """Move TimeoutStartSec: a camera that is not there yet is no reason to start over."""
        self._tell(f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._tell("WATCHDOG=1")

    def status(self, sentence: str) -> None:
        """One line for `systemctl status`; a line break would begin another assignment, so none survives."""
        self._tell(f"STATUS={' '.join(sentence.split())}")

    def reloading(self) -> None:
        """A reload begins; `ready` ends it. systemd wants the instant, to tell this reload from an earlier one."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """A clean end has begun: systemd's stop deadline counts from here."""
        self._tell("STOPPING=1")

    @property
    def watchdog_s(self) -> float | None:
        """WatchdogSec of the unit, when it is meant for this process."""
        return self._watchdog_s

    def _tell(self, message: str) -> None:
        try:
            self._notify(message)
        except OSError:
            return


class NoServiceManager:
    """Nobody waits, nobody watches: a daemon started by hand."""

    def ready(self) -> None: ...

    def still_starting(self, seconds: float) -> None: ...

    def alive(self) -> None: ...

    def status(self, sentence: str) -> None: ...

    def reloading(self) -> None: ...

    def stopping(self) -> None: ...

    @property
    def watchdog_s(self) -> float | None:
        """Never."""
        return None


def service_manager(environment: Mapping[str, str] = os.environ) -> ServiceManager:
    """Whoever started this process. DeviceError when that is systemd and its Python module is missing.

    A process further down (a demonstration in a terminal that a service opened) inherits the socket and is not waited for:
    SYSTEMD_EXEC_PID names the one that is.
    """
    waited_for = environment.get("SYSTEMD_EXEC_PID", str(os.getpid())) == str(os.getpid())
    return SystemdService(environment) if environment.get("NOTIFY_SOCKET") and waited_for else NoServiceManager()


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """sd_watchdog_enabled(3), which systemd-python does not wrap."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    interval_us = environment.get("WATCHDOG_USEC", "")
    return int(interval_us) / 1e6 if interval_us.isascii() and interval_us.isdigit() and int(interval_us) else None
