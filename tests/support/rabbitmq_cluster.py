"""Three RabbitMQ 4 nodes in one Debian trixie: where a fleet that outgrows one broker goes.

The system is made once by mmdebstrap and kept under $VIGIE_LANE_CACHE (default /var/cache/vigie-lanes). Needs root.
What a site sets is docs/hub/rabbitmq.conf, as it stands; peers, listeners and certificates are added here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.base.errors import DeviceError
from agent.demo.broker import free_port
from tests.support.authority import Authority

CACHE = Path(os.environ.get("VIGIE_LANE_CACHE", "/var/cache/vigie-lanes"))
SITE_SETTINGS = Path(__file__).resolve().parents[2] / "docs/hub/rabbitmq.conf"
SUITE = "trixie"
INCLUDED = ("rabbitmq-server",)
_APT = (
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=Acquire::Check-Date "false"',
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=force-unsafe-io",
)
START_DEADLINE_S = 90.0
CONTROL_S = 60.0
INSIST_S = 120.0  # room for one question that is never answered
PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"

# Mounts of its own, gone with the process; the cluster's directory lies at /mnt.
_ENTER = """
set -e
mount -t proc proc "$ROOTFS/proc"
mount -t tmpfs tmpfs "$ROOTFS/dev"
for device in null zero random urandom; do touch "$ROOTFS/dev/$device"; mount --bind "/dev/$device" "$ROOTFS/dev/$device"; done
mount -t tmpfs tmpfs "$ROOTFS/tmp"
mount --bind "$SCENE" "$ROOTFS/mnt"
exec chroot "$ROOTFS" "$@"
"""


def prepared() -> Path:
    """The root of the system, made when it is not there yet: about a minute. DeviceError with the remedy."""
    if os.geteuid() != 0:
        raise DeviceError("three RabbitMQ nodes need root", remedy="run this with sudo")
    for name, package in (("mmdebstrap", "mmdebstrap"), ("unshare", "util-linux"), ("chroot", "coreutils")):
        if shutil.which(name, path=PATH) is None:
            raise DeviceError(f"{name} is not installed", remedy=f"`make setup`, or apt-get install {package}")
    made = CACHE / f"rabbitmq-{hashlib.sha256(' '.join([SUITE, *INCLUDED, *_APT]).encode()).hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "rabbitmq.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            fresh = made.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            command = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(INCLUDED)}", *_APT, SUITE, str(fresh)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                shutil.rmtree(fresh, ignore_errors=True)
                why = done.stderr[-400:]
                raise DeviceError(f"no Debian trixie with RabbitMQ: {why}", remedy="Debian's servers must be reachable")
            fresh.rename(made)
    return made


class RabbitMqCluster:
    """Nodes 0, 1 and 2. A context manager; one thread uses it.

    `ports` take MQTT on loopback, and on `line_address` when one is given; `tls_ports` take it from whoever has a
    certificate of `authority`, which lies in the cluster's directory.
    """

    def __init__(self, directory: Path, size: int = 3, line_address: str | None = None) -> None:
        self.directory = directory
        self.authority = Authority(directory / "pki")
        self.ports, self.line_ports, self.tls_ports = ([free_port() for _ in range(size)] for _ in range(3))
        self._line_address = line_address
        self._root = prepared()
        self._amqp, self._dist = ([free_port() for _ in range(size)] for _ in range(2))
        self._epmd_port = free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def nodes(self) -> tuple[int, ...]:
        """All of them, running or not."""
        return tuple(range(len(self.ports)))

    def form(self) -> None:
        """Start all as a new cluster, with Khepri for what members must agree on, as docs/hub/README.md has it."""
        self.start()
        self.control(0, "rabbitmqctl", "enable_feature_flag", "--opt-in", "khepri_db")

    def start(self, *nodes: int) -> None:
        """Start these (all that do not run, when none is named), and wait until they listen."""
        chosen = [n for n in nodes or self.nodes if n not in self._running]
        for n in chosen:
            self._write(n)
            self._running[n] = self._enter(f"rb{n}", [f"{self._sbin()}/rabbitmq-server"], self._environment(n))
        ends = time.monotonic() + START_DEADLINE_S
        self._await_listeners(ends)
        if chosen:  # each listens before the others know it; a queue made meanwhile would lack copies
            self._await_each_other(chosen[0], ends)
            self._await_listeners(ends)

    def kill(self, *nodes: int) -> None:
        """End these as a power cut would: their whole process namespaces go."""
        killed = [self._running.pop(n) for n in nodes if n in self._running]
        for process in killed:
            process.kill()
        for process in killed:
            process.wait(20)

    def freeze(self, *nodes: int) -> None:
        """Let these hang: connections stay open and nothing answers."""
        self._signal(nodes, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all go on."""
        self._signal(self.nodes, signal.SIGCONT)

    def wipe(self, *nodes: int) -> None:
        """Kill these and take everything they had stored away."""
        self.kill(*nodes)
        for n in nodes:
            for path in (self.directory / "data").glob(f"rb{n}@localhost*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def control(self, asked: int, program: str, *words: str) -> str:
        """What `rabbitmqctl`, `rabbitmq-queues` and the like say to node `asked`. DeviceError when they fail."""
        log = self.directory / f"{program}.log"
        log.unlink(missing_ok=True)
        command = [f"{self._sbin()}/{program}", "-n", f"rb{asked}@localhost", *words]
        running = self._enter(program, command, self._environment(asked))
        try:
            failed = running.wait(CONTROL_S) != 0
        except subprocess.TimeoutExpired:  # asked between two leaders, some questions are never answered
            running.kill()
            failed = running.wait() != 0
        said = log.read_text(errors="replace")
        if failed:
            raise DeviceError(f"{program} {' '.join(words)}: {said[-500:]}")
        return said

    def insist(self, asked: int, program: str, *words: str, unless: Sequence[str] = ()) -> None:
        """As `control`, again and again: a queue that is between two leaders, or is just deleted, fails the whole command.

        A DeviceError that says one of `unless` is raised at once.
        """
        ends = time.monotonic() + INSIST_S
        while True:
            try:
                self.control(asked, program, *words)
            except DeviceError as error:
                if time.monotonic() > ends or any(sign in str(error) for sign in unless):
                    raise
                time.sleep(0.5)
            else:
                return

    def log(self, n: int) -> str:
        """What node `n` said."""
        return (self.directory / f"rb{n}.log").read_text(errors="replace")

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.authority.issue("broker", server="127.0.0.1")
        (self.directory / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        cookie = self.directory / ".erlang.cookie"
        cookie.unlink(missing_ok=True)
        cookie.write_text("VIGIECLUSTERTEST")
        cookie.chmod(0o400)
        epmd = ["/usr/bin/epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port)]
        self._epmd = self._enter("epmd", epmd, self._environment(0))
        try:
            self.form()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything, hard."""
        self.kill(*self.nodes)
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(20)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _signal(self, nodes: Iterable[int], what: signal.Signals) -> None:
        for n in nodes:
            if n in self._running:
                for pid in _descendants(self._running[n].pid):
                    with suppress(ProcessLookupError):  # a helper of the broker's that has done its work since
                        os.kill(pid, what)

    def _await_listeners(self, ends: float) -> None:
        for n, process in self._running.items():
            while not all(_listens(port) for port in (self.ports[n], self.tls_ports[n])):
                if process.poll() is not None:
                    raise DeviceError(f"rb{n} ended:\n{self.log(n)[-2000:]}")
                if time.monotonic() > ends:
                    raise DeviceError(f"rb{n} does not listen:\n{self.log(n)[-2000:]}")
                time.sleep(0.1)

    def _await_each_other(self, asked: int, ends: float) -> None:
        while True:
            try:
                self.control(asked, "rabbitmqctl", "await_online_nodes", str(len(self._running)))
            except DeviceError:  # it came first, found itself in the minority, and pauses until another is there
                if time.monotonic() > ends or self._running[asked].poll() is not None:
                    raise
            else:
                return

    def _sbin(self) -> str:
        found = sorted((self._root / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-4.*/sbin"))
        if not found:
            raise DeviceError("trixie's RabbitMQ is no version 4 any more", remedy="look at it, then change this bench")
        return f"/{found[-1].relative_to(self._root)}"

    def _write(self, n: int) -> None:
        peers = "\n".join(f"cluster_formation.classic_config.nodes.{i + 1} = rb{i}@localhost" for i in self.nodes)
        line = f"mqtt.listeners.tcp.2 = {self._line_address}:{self.line_ports[n]}\n" if self._line_address else ""
        (self.directory / f"rb{n}.conf").write_text(
            f"{SITE_SETTINGS.read_text(encoding='utf-8')}\n"
            f"listeners.tcp.1 = 127.0.0.1:{self._amqp[n]}\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.ports[n]}\n{line}"
            f"mqtt.listeners.ssl.1 = 127.0.0.1:{self.tls_ports[n]}\n"
            "ssl_options.cacertfile = /mnt/pki/ca.pem\nssl_options.certfile = /mnt/pki/broker.pem\n"
            "ssl_options.keyfile = /mnt/pki/broker.key\n"
            "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\n"
            "loopback_users = none\nmqtt.allow_anonymous = true\nanonymous_login_user = guest\nanonymous_login_pass = guest\n"
            f"cluster_formation.peer_discovery_backend = classic_config\n{peers}\n"
            "disk_free_limit.absolute = 50MB\nlog.console = true\nlog.file = false\n"
        )

    def _environment(self, n: int) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": "/mnt",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": f"rb{n}@localhost",
            "RABBITMQ_NODE_PORT": str(self._amqp[n]),
            "RABBITMQ_DIST_PORT": str(self._dist[n]),
            "RABBITMQ_CONFIG_FILE": f"/mnt/rb{n}.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "/mnt/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": "/mnt/data",
            "RABBITMQ_LOG_BASE": "/mnt/logs",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
            "RABBITMQ_CTL_ERL_ARGS": "+S 1:1",
        }

    def _enter(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        inside = ["/usr/bin/env", "-i", *(f"{key}={value}" for key, value in environment.items()), *command]
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c", _ENTER, "sh"]
        with (self.directory / f"{name}.log").open("ab") as sink:
            return subprocess.Popen(
                [*apart, *inside],
                env={"PATH": PATH, "ROOTFS": str(self._root), "SCENE": str(self.directory)},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )


def _descendants(pid: int) -> list[int]:
    """A process and all below it, parents first."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True
