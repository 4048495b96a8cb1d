"""The wait before a restart, run as root: the right length, and nothing that the node's user plants leads it elsewhere."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


class BackOff:
    """The script, with systemctl and sleep of its own and root's directory /run in a folder."""

    def __init__(self, where: Path, units: Path) -> None:
        self.where = where
        self.runtime, self.run_directory = where / "run/vigie", where / "run"
        self.runtime.mkdir(parents=True)
        self._script = (units / "back-off").read_text().replace("/run/vigie", str(self.runtime))
        (where / "bin").mkdir()
        for name, text in {"systemctl": "cat $RESTARTS", "sleep": f"echo $1 >>{where}/slept"}.items():
            (where / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
            (where / "bin" / name).chmod(0o755)

    def start(self, restarts: int) -> int:
        """One start, the nth restart; the seconds it waited."""
        (self.where / "restarts").write_text(str(restarts))
        (self.where / "slept").unlink(missing_ok=True)
        environment = {
            "PATH": f"{self.where}/bin:/usr/bin:/bin",
            "RESTARTS": str(self.where / "restarts"),
            "RUNTIME_DIRECTORY": str(self.runtime),
        }
        subprocess.run(["sh", "-c", self._script, "back-off"], env=environment, check=True, timeout=60)
        slept = self.where / "slept"
        return int(slept.read_text()) if slept.exists() else 0


@pytest.fixture
def back_off(tmp_path: Path, units: Path) -> BackOff:
    """The script as the package installs it."""
    return BackOff(tmp_path, units)


def test_a_fault_that_stays_is_tried_less_and_less_often(back_off: BackOff) -> None:
    """0, 1, 2, 4 ... 60 s; a start by hand never waits and begins anew."""
    waits = [back_off.start(n) for n in range(10)]
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert back_off.start(0) == 0
    assert back_off.start(1) == 0


@pytest.mark.parametrize("planted", ["link", "pipe", "directory", "link to a pipe"])
def test_nothing_that_the_nodes_user_plants_is_followed_or_waited_for(back_off: BackOff, planted: str) -> None:
    """Whatever lies in the service's runtime directory: the precious file keeps its bytes, and the start goes on."""
    precious, counter = back_off.where / "precious", back_off.runtime / "restarts"
    precious.write_text("precious")
    if planted == "link":
        counter.symlink_to(precious)
    elif planted == "pipe":
        os.mkfifo(counter)
    elif planted == "directory":
        counter.mkdir()
    else:
        os.mkfifo(back_off.runtime / "pipe")
        counter.symlink_to(back_off.runtime / "pipe")
    assert [back_off.start(n) for n in range(4)] == [0, 0, 1, 2]
    assert precious.read_text() == "precious"


@pytest.mark.parametrize("text", ["", "many", "-5", "99999999999999999999", "1\nrm", "$(touch /tmp/x)"])
def test_a_damaged_counter_keeps_no_node_from_starting(back_off: BackOff, text: str) -> None:
    """What a full disk left of it: counted from the beginning."""
    (back_off.where / "run/vigie.restarts").write_text(text)
    assert back_off.start(3) in (0, 1)
