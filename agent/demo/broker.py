"""A mosquitto of our own on loopback, for the demonstration and for tests: started on a free port, ended with us."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.base.errors import UplinkError
from agent.base.phrase import joined, say

START_DEADLINE_S = 5.0
STOP_DEADLINE_S = 5.0
FIRST_PORT = 10_000
OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def mosquitto_program() -> str:
    """The broker's path; Debian puts it where an ordinary user's PATH does not look. UplinkError with the remedy."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise UplinkError(
            say("the broker `mosquitto` is not installed"), remedy=say("`sudo apt install mosquitto`, or `make setup`")
        )
    return found


def is_free(port: int) -> bool:
    """Whether a listener on loopback may take this TCP port right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A TCP port nobody listens on right now, and none that the kernel gives to an outgoing connection.

    A broker that is killed comes back to its port: until then any connection of this machine could have been given it.
    """
    first_given = int(OUTGOING_PORTS.read_text(encoding="ascii").split()[0])
    while True:
        port = random.randrange(FIRST_PORT, first_given) if first_given > 2 * FIRST_PORT else 0  # noqa: S311 - no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])


class LocalBroker:
    """One mosquitto process. `settings` are further lines of its configuration.

    With `directory` its persistence and log go there. `apart`: a Ctrl-C is not for it, whoever started it ends it. Use as a
    context manager; `kill`, `freeze`, `thaw` and `start` serve whoever wants to see what a node does about it.
    """

    def __init__(
        self, directory: Path, *, port: int | None = None, settings: str = "allow_anonymous true", apart: bool = False
    ) -> None:
        self.directory = directory
        self.port = port or free_port()
        self._settings = settings
        self._apart = apart
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start and wait until it accepts connections."""
        self.directory.mkdir(parents=True, exist_ok=True)
        conf = self.directory / "mosquitto.conf"
        # Without TCP_NODELAY every QoS 1 hop waits 40 ms for a delayed acknowledgement.
        conf.write_text(
            # Started by root it would become another user, who can read and write nothing in our directory.
            f"user root\nlistener {self.port} 127.0.0.1\nset_tcp_nodelay true\npersistence true\n"
            f"persistence_location {self.directory}/\n{self._settings}\n",
            encoding="utf-8",
        )
        log = self.directory / "mosquitto.log"
        with log.open("ab") as sink:
            self._process = subprocess.Popen(
                [mosquitto_program(), "-c", str(conf)], stdout=sink, stderr=sink, process_group=0 if self._apart else None
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            if self._process.poll() is not None:
                last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
                raise UplinkError(say("mosquitto ended at once: {last}", last=joined(" / ", last)))
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=0.2).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    self.stop()
                    raise UplinkError(
                        say(
                            "mosquitto does not listen on port {port} after {start_deadline_s:.0f} s",
                            port=self.port,
                            start_deadline_s=START_DEADLINE_S,
                        )
                    ) from None
                time.sleep(0.02)

    def stop(self) -> None:
        """End it in order; it writes its retained messages and sessions first."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it hang: connections stay open and nothing answers."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def _send(self, what: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(what)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.send_signal(how)
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
