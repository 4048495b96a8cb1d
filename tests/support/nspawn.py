"""A real Debian, booted by its own systemd in systemd-nspawn: what a package and its units are tried in.

The system below is made once by mmdebstrap and kept under $VIGIE_LANE_CACHE (default /var/cache/vigie-lanes); every machine
writes to an overlay of its own, so that it begins as a fresh installation. Needs root.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support import parts

CACHE = Path(os.environ.get("VIGIE_LANE_CACHE", "/var/cache/vigie-lanes"))
SUITE = "bookworm"
# What a Raspberry Pi OS Lite has and a package may lean on; fscrypt, which ours suggests; mosquitto for the town's broker.
INCLUDED = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "python3",
    "python3-systemd",
    "tzdata",
    "sudo",
    "procps",
    "mosquitto",
    "mosquitto-clients",
    "e2fsprogs",
    "fscrypt",
)
NEVER_S = 600
"""What has not come by then never comes. Whatever is waited for ends the wait at once: a machine under load may take its time."""
BOOT_DEADLINE_S = NEVER_S

# Test machines often have the cgroup hierarchy of 2010: the new one is mounted for this machine alone.
_CGROUPS = """
set -e
mount --make-rprivate /
if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
"""
# Each machine has a cgroup of its own. In one that two share, each systemd waits for the other's services to end:
# a unit of the same name never counts as empty, and the boot hangs with the jobs behind it.
_ENTRY = f"""{_CGROUPS}
mkdir "/sys/fs/cgroup/$NAME"
echo $$ >"/sys/fs/cgroup/$NAME/cgroup.procs"
mount -t overlay overlay -o lowerdir="$LOWER",upperdir="$UPPER",workdir="$WORK" "$ROOT"
exec systemd-nspawn --quiet --directory="$ROOT" --machine="$NAME" --boot --register=no --keep-unit --link-journal=no \
    --private-network --resolv-conf=off --timezone=off --console=pipe
"""
# What outlived its machine ends too, and nothing of the cgroup is left to the next one.
_CLEAR = f"""{_CGROUPS}
cd /sys/fs/cgroup
[ ! -d "$NAME" ] || echo 1 >"$NAME/cgroup.kill"
while [ -d "$NAME" ]; do find "$NAME" -depth -type d -exec rmdir {{}} + 2>/dev/null || sleep 0.1; done
"""


_APART = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended inside."""

    code: int
    output: str


class Machine:
    """One booted machine. `directory` takes what it writes; one test thread uses it."""

    def __init__(self, base: Path, directory: Path, name: str) -> None:
        self._directory = directory
        self._name = name
        for part in ("upper", "work", "root"):
            (directory / part).mkdir(parents=True)
            # The overlay's root is as open as `upper`: in one that is closed, no service of another user starts.
            (directory / part).chmod(0o755)
        self._environment = {
            "PATH": parts.SEARCHED,
            "LOWER": str(base),
            "UPPER": str(directory / "upper"),
            "WORK": str(directory / "work"),
            "ROOT": str(directory / "root"),
            "NAME": name,
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
        }
        self._console = (directory / "console.log").open("wb")
        self._nspawn = subprocess.Popen(
            [*_APART, _ENTRY],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=subprocess.STDOUT,
        )
        self._leader: int | None = None
        try:
            self._leader = self._first_process()
            self._wait_until_up()
        except BaseException:
            self.power_off()
            raise

    def run(self, command: str, *, timeout_s: float = NEVER_S, check: bool = True) -> Done:
        """Run a shell command as root inside; its code, and stdout and stderr together."""
        done = subprocess.run(
            ["nsenter", f"--target={self._leader}", "--all", "--", "env", "-i", *_ENVIRONMENT, "sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
        )
        if check and done.returncode:
            journal = self.run("journalctl --no-pager --lines=40", check=False).output
            raise AssertionError(f"`{command}` ended with {done.returncode}:\n{done.stdout}\nthe journal's end:\n{journal}")
        return Done(done.returncode, done.stdout.strip())

    def wait_for(self, command: str, wanted: str, deadline_s: float = NEVER_S) -> str:
        """Run `command` until the regular expression `wanted` is found in what it prints; that text."""
        end = time.monotonic() + deadline_s
        while True:
            output = self.run(command, check=False).output
            if re.search(wanted, output):
                return output
            if time.monotonic() > end:
                raise AssertionError(f"`{command}` did not print {wanted!r} within {deadline_s:.0f} s, but:\n{output}")
            time.sleep(0.2)

    def put(self, source: Path, target: str) -> None:
        """Copy a file in."""
        with source.open("rb") as content:
            subprocess.run(
                ["nsenter", f"--target={self._leader}", "--all", "--", "sh", "-c", f"cat >'{target}'"], stdin=content, check=True
            )

    def write(self, target: str, text: str) -> None:
        """Make a file inside, readable as its directory says."""
        command = ["nsenter", f"--target={self._leader}", "--all", "--", "sh", "-c", f"cat >'{target}'"]
        subprocess.run(command, input=text, text=True, check=True)

    def processes(self) -> list[int]:
        """Everything that runs inside, by the process ids of the machine outside."""
        namespace = Path(f"/proc/{self._leader}/ns/pid").readlink()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (path / "ns/pid").readlink() == namespace:
                    found.append(int(path.name))
        return found

    def power_off(self) -> None:
        """End the machine, hard, with every process in it: nothing of it is kept."""
        if self._leader is not None:
            # The first process of a PID namespace takes all others with it; nspawn's own end would leave them running.
            with suppress(ProcessLookupError):
                os.kill(self._leader, signal.SIGKILL)
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait(20)
        self._console.close()
        subprocess.run([*_APART, _CLEAR], env=self._environment, timeout=NEVER_S, check=False)
        shutil.rmtree(self._directory, ignore_errors=True)
        with suppress(OSError):
            Path("/run/systemd/nspawn/propagate", self._name).rmdir()

    def _wait_until_up(self) -> None:
        """Until boot is over, however it went. A boot that never ends tells what it waits for."""
        try:
            self.wait_for("systemctl is-system-running", "running|degraded", BOOT_DEADLINE_S)
        except AssertionError as never:
            waiting = self.run("systemctl list-jobs --no-pager; journalctl --no-pager --lines=60", check=False).output
            raise AssertionError(f"{never}\n{waiting}") from None

    def _first_process(self) -> int:
        """PID 1 inside, as seen from outside: the child of nspawn's stub."""
        end = time.monotonic() + BOOT_DEADLINE_S
        while time.monotonic() < end and self._nspawn.poll() is None:
            children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
            for child in children:
                if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                    return int(child)
            time.sleep(0.1)
        log = (self._directory / "console.log").read_text(errors="replace")
        raise AssertionError(f"systemd-nspawn did not boot:\n{log[-2000:]}")


_ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "SYSTEMD_PAGER=")


def base_system(extra: Sequence[str] = ()) -> Path:
    """The system machines begin with, made when it is not there yet: about 30 s. Fails or skips when it cannot be made."""
    parts.root()
    for name, package in (("mmdebstrap", "mmdebstrap"), ("systemd-nspawn", "systemd-container"), ("unshare", "util-linux")):
        parts.program(name, package)
    included = ",".join([*INCLUDED, *extra])
    fingerprint = hashlib.sha256(" ".join([SUITE, included, *_APT]).encode()).hexdigest()[:12]
    made = CACHE / f"{SUITE}-{fingerprint}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            fresh = CACHE / f"{made.name}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            done = subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=apt", f"--include={included}", *_APT, SUITE, str(fresh), *_sources()],
                capture_output=True,
                text=True,
            )
            if done.returncode:
                shutil.rmtree(fresh, ignore_errors=True)
                parts.missing(f"a Debian {SUITE} to boot", f"Debian's package servers must be reachable: {done.stderr[-500:]}")
            fresh.rename(made)
    return made


_APT = (
    '--aptopt=Acquire::Check-Valid-Until "false"',
    '--aptopt=Acquire::Check-Date "false"',
    '--aptopt=Acquire::Languages "none"',
    # A fsync for each of a package's files is for boards that lose power, not for a test's overlay.
    "--dpkgopt=force-unsafe-io",
)


def _sources() -> list[str]:
    """The machine's own package sources where it is of the same suite; Debian's servers otherwise."""
    sources = Path("/etc/apt/sources.list.d/debian.sources")
    return [str(sources)] if sources.exists() and SUITE in sources.read_text() else []
