"""A network namespace with one line to us, to be cut in mid-sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.base.errors import DeviceError


@dataclass(frozen=True)
class Line:
    """`address` is our end's; `wrap` starts a program at the other end."""

    namespace: str
    address: str
    interface: str

    @property
    def wrap(self) -> tuple[str, ...]:
        """What to put before a command so that it sees this line and nothing else."""
        return ("ip", "netns", "exec", self.namespace)

    def cut(self) -> None:
        """Our end goes down: nobody is told."""
        ip("link", "set", self.interface, "down")

    def mend(self) -> None:
        """Our end comes back."""
        ip("link", "set", self.interface, "up")


def ip(*words: str) -> None:
    """iproute2."""
    subprocess.run(["ip", *words], check=True)


@contextmanager
def line() -> Iterator[Line]:
    """A line that is up. Needs root and iproute2: DeviceError with the remedy."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        raise DeviceError("a network namespace needs root and iproute2", remedy="`sudo` and `apt install iproute2`")
    tag = f"{os.getpid() % 100_000}"
    name, inside, outside = f"vigie{tag}", f"vgi{tag}", f"vgo{tag}"
    third = os.getpid() % 250
    ip("netns", "add", name)
    try:
        ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
        ip("addr", "add", f"10.213.{third}.1/30", "dev", outside)
        ip("link", "set", outside, "up")
        ip("-n", name, "addr", "add", f"10.213.{third}.2/30", "dev", inside)
        ip("-n", name, "link", "set", inside, "up")
        yield Line(name, f"10.213.{third}.1", outside)
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)
        subprocess.run(["ip", "link", "del", outside], check=False, capture_output=True)
