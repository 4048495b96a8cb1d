"""What a process costs: its processor time and its memory, as the kernel counts them."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Cost:
    """One finished process."""

    code: int
    cpu_s: float
    wall_s: float
    peak_rss_bytes: int
    rss_bytes: int
    """Resident in the middle of its life: the median of all looks."""
    settled_rss_bytes: int
    """Resident once it is under way: the median of the second half of all looks."""


def measure(
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    for_s: float | None = None,
) -> Cost:
    """Run to the end; its output goes to `log`. With `for_s` it is sent Ctrl-C after so many seconds.

    What is measured is this very process: a `timeout` around it would be measured in its place.
    """
    began = time.monotonic()
    looks, peak_bytes = [0], 0
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, cwd=cwd, env=env)
        watched = psutil.Process(process.pid)
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            if for_s is not None and time.monotonic() - began >= for_s:
                process.send_signal(signal.SIGINT)
                for_s = None
            looks.append(watched.memory_info().rss)
            peak_bytes = _peak_bytes(process.pid) or peak_bytes
            time.sleep(_LOOK_EVERY_S)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu_s = usage.ru_utime + usage.ru_stime
    middle, settled = statistics.median(looks), statistics.median(looks[len(looks) // 2 :])
    return Cost(process.returncode, cpu_s, time.monotonic() - began, peak_bytes, int(middle), int(settled))


def _peak_bytes(pid: int) -> int:
    """The most that was resident until now. Not `ru_maxrss`: a child begins with its parent's there."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0  # it has ended


def as_installed(bytecode: Path) -> dict[str, str]:
    """An environment in which Python keeps its bytecode, as a package brings it; the first start fills `bytecode`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(bytecode)}
