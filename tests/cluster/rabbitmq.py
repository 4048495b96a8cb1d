"""Three RabbitMQ 4 nodes in one Debian trixie: where a fleet that outgrows one broker goes.

The system is made once by mmdebstrap and kept under $VIGIE_LANE_CACHE (default /var/cache/vigie-lanes). Needs root.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.demo.broker import free_port
from tests.support import parts

CACHE = Path(os.environ.get("VIGIE_LANE_CACHE", "/var/cache/vigie-lanes"))
SUITE = "trixie"
INCLUDED = ("rabbitmq-server",)
_APT = (
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=Acquire::Check-Date "false"',
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=force-unsafe-io",
)
START_DEADLINE_S = 90.0

# Mounts of its own, gone with the process; the scene's directory lies at /mnt.
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
    """The root of the system, made when it is not there yet: about a minute. Fails or skips when it cannot be made."""
    parts.root()
    for name, package in (("mmdebstrap", "mmdebstrap"), ("unshare", "util-linux"), ("chroot", "coreutils")):
        parts.program(name, package)
    made = CACHE / f"rabbitmq-{hashlib.sha256(' '.join([SUITE, *INCLUDED, *_APT]).encode()).hexdigest()[:12]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "rabbitmq.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            fresh = made.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            command = ["mmdebstrap", "--quiet", "--variant=apt", f"--include={','.join(INCLUDED)}", *_APT, SUITE, str(fresh)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                shutil.rmtree(fresh, ignore_errors=True)
                parts.missing("a Debian trixie with RabbitMQ", f"Debian's servers must be reachable: {done.stderr[-400:]}")
            fresh.rename(made)
    return made


class RabbitMqCluster:
    """Nodes 0, 1 and 2; `ports` are their MQTT listeners. A context manager; one thread uses it."""

    def __init__(self, directory: Path, size: int = 3) -> None:
        self.directory = directory
        self.ports = [free_port() for _ in range(size)]
        self._root = prepared()
        self._amqp = [free_port() for _ in range(size)]
        self._dist = [free_port() for _ in range(size)]
        self._epmd_port = free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def url(self, n: int) -> str:
        """Where node `n` takes MQTT."""
        return f"mqtt://127.0.0.1:{self.ports[n]}"

    def start(self, *nodes: int) -> None:
        """Start these (all, when none is named), and wait until they listen."""
        chosen = nodes or tuple(range(len(self.ports)))
        for n in chosen:
            self._write(n)
            self._running[n] = self._enter(f"rb{n}", [f"{self._sbin()}/rabbitmq-server"], self._environment(n))
        ends = time.monotonic() + START_DEADLINE_S
        for n in chosen:
            while not _listens(self.ports[n]):
                assert self._running[n].poll() is None, f"rb{n} ended:\n{self.log(n)[-2000:]}"
                assert time.monotonic() < ends, f"rb{n} does not listen:\n{self.log(n)[-2000:]}"
                time.sleep(0.2)

    def kill(self, n: int) -> None:
        """End node `n` as a power cut would: its whole process namespace goes."""
        process = self._running.pop(n)
        process.kill()
        process.wait(20)

    def members(self, asked: int = 0) -> str:
        """What `rabbitmqctl cluster_status` says."""
        command = [f"{self._sbin()}/rabbitmqctl", "-n", f"rb{asked}@localhost", "cluster_status"]
        process = self._enter("status", command, self._environment(asked))
        process.wait(60)
        return (self.directory / "status.log").read_text(errors="replace")

    def log(self, n: int) -> str:
        """What node `n` said."""
        return (self.directory / f"rb{n}.log").read_text(errors="replace")

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        cookie = self.directory / ".erlang.cookie"
        cookie.write_text("VIGIECLUSTERTEST")
        cookie.chmod(0o400)
        epmd = ["/usr/bin/epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port)]
        self._epmd = self._enter("epmd", epmd, self._environment(0))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything, hard."""
        for n in list(self._running):
            self.kill(n)
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(20)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _sbin(self) -> str:
        found = sorted((self._root / "usr/lib/rabbitmq/lib").glob("rabbitmq_server-4.*/sbin"))
        assert found, "trixie's RabbitMQ is no version 4 any more: look at it, then change this"
        return f"/{found[-1].relative_to(self._root)}"

    def _write(self, n: int) -> None:
        peers = "\n".join(f"cluster_formation.classic_config.nodes.{i + 1} = rb{i}@localhost" for i in range(len(self.ports)))
        (self.directory / f"rb{n}.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self._amqp[n]}\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.ports[n]}\n"
            "mqtt.allow_anonymous = true\nanonymous_login_user = guest\nanonymous_login_pass = guest\n"
            "mqtt.durable_queue_type = quorum\nmqtt.max_session_expiry_interval_seconds = 86400\n"
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
                env={"PATH": parts.SEARCHED, "ROOTFS": str(self._root), "SCENE": str(self.directory)},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
            )


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
    except OSError:
        return False
    return True
