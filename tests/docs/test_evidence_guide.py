"""docs/evidence-at-hand.md is true: what an officer, an operator and an expert type, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.base.clock import rfc3339
from agent.identity.certificates import read_chain
from agent.identity.node_key import IdentityDirectory
from tests.support.manual_clock import ManualClock
from tests.support.recordings import Recordings
from tests.support.signed_recordings import SignedRecordings

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/evidence-at-hand.md"
BEGIN, END = "2026-06-01T12:00:01Z", "2026-06-01T12:00:05Z"
CONFIGURATION = """
[node]
id = "pole-42"
state_dir = "state"
[camera]
driver = "synthetic"
[privacy.none_needed]
by = "A. Martin"
on = 2026-01-05
why = "a wall without windows"
"""
# As the installed command finds its node; a verifier's machine has none, so those words get no --config.
VIGIE = """#!/bin/sh
case "$*" in verify*|*--file*) exec {python} -m agent "$@" ;; *) exec {python} -m agent "$@" --config {config} ;; esac
"""


def steps() -> list[tuple[str, list[str]]]:
    """Each command of the guide, with the lines it shows of the output."""
    found: list[tuple[str, list[str]]] = []
    for line in GUIDE.read_text(encoding="utf-8").splitlines():
        if line.startswith("    $ "):
            found.append((line.removeprefix("    $ "), []))
        elif line.startswith("    ") and found:
            found[-1][1].append(line)
    return found


def plain(text: str) -> str:
    """Without the width of its columns."""
    return re.sub(r"\s+", " ", text).strip()


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A node with six seconds of footage that it alone vouches for, and `vigie` on the path of whoever works there."""
    (tmp_path / "config.toml").write_text(CONFIGURATION)
    identity = IdentityDirectory(tmp_path / "state" / "identity")
    recordings = Recordings(tmp_path / "state", clock=ManualClock(datetime.now(UTC)))
    SignedRecordings(recordings, identity.init("pole-42"), read_chain(identity.ca_path), tmp_path / "none.mp4").record(6)
    recordings.catalog.close()
    for each in (tmp_path / "state").glob("register*"):
        each.unlink()  # kept without a key here, as no daemon does
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "vigie"
    command.write_text(VIGIE.format(python=sys.executable, config=tmp_path / "config.toml"))
    command.chmod(0o755)
    return tmp_path


def test_the_guide_as_it_was_written(node: Path) -> None:
    """Each command succeeds and prints what the guide shows, from the certificate to the register."""
    begun_ns = ManualClock(datetime.now(UTC)).wall_ns()
    span = {BEGIN: rfc3339(begun_ns - 60 * 10**9), END: rfc3339(begun_ns + 60 * 10**9), "/var/lib/vigie": str(node / "state")}
    environment = {**os.environ, "PATH": f"{node / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    told = steps()
    assert len(told) > 12
    for command, shown in told:
        typed = command
        for written, real in span.items():
            typed = typed.replace(written, real)
        done = subprocess.run(["bash", "-c", typed], cwd=node, env=environment, capture_output=True, text=True, timeout=120)
        output = plain(done.stdout + done.stderr)
        assert done.returncode == 0, f"{command}\n{output}"
        for line in shown:
            assert plain(line) in output, f"{command}\n{output}"
