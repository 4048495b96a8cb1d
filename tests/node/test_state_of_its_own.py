"""A node's state is its own: closed to others, of its own code, and what it lacks is said at the start with the remedy."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.footage import REPOSITORY
from tests.support.whole_node import VIGIE

CONFIG = """
[node]
id = "pole-7"
state_dir = "state"
[camera]
driver = "synthetic"
width = 320
height = 240
realtime = false
[privacy.none_needed]
by = "A. Martin"
on = 2026-01-05
why = "a drawn square"
[console]
enabled = false
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A small node on the drawn square that signs its films."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def run(config: Path, *, seconds: int = 1, umask: int = -1) -> subprocess.CompletedProcess[str]:
    """`vigie run` for a while, to its end."""
    command = [*VIGIE, "run", "--config", str(config), "--for", str(seconds)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, umask=umask, timeout=120)


def test_nothing_that_a_node_makes_is_anybodys_to_write(config: Path) -> None:
    """Started by hand under umask 0, daemon and commands alike: no file or directory of its state is open to others."""
    state = config.parent / "state"
    assert run(config, umask=0).returncode == 0
    for words in (
        ["retention", "sweep"],
        ["hold", "list"],
        ["register", "--verify"],
        ["identity", "csr", "--out", str(state / "csr.pem")],
    ):
        done = subprocess.run([*VIGIE, *words, "--config", str(config)], cwd=REPOSITORY, capture_output=True, umask=0)
        assert done.returncode == 0, done.stderr
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [state, *state.rglob("*")] if not path.is_socket()}
    assert len(modes) > 10
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o022} == {}
    assert stat.S_IMODE(state.stat().st_mode) & 0o007 == 0


def test_the_environment_does_not_choose_the_code(config: Path) -> None:
    """The installed command, and the daemon that it becomes: code planted in PYTHONPATH or the directory never runs."""
    where = config.parent
    planted = where / "planted"
    planted.mkdir()
    for name in ("sitecustomize", "usercustomize", "agent"):
        (planted / f"{name}.py").write_text(f"open({str(where / 'ran')!r}, 'a').write({name!r})\n")
    installed = where / "installed"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", installed], check=True)
    packages = next((installed / "lib").glob("python*/site-packages"))
    (packages / "vigie.pth").write_text(f"{REPOSITORY}\n{sysconfig.get_path('purelib')}\n")
    (where / "bin").mkdir()
    (where / "bin/id").write_text("#!/bin/sh\necho 1000\n")
    (where / "bin/id").chmod(0o755)
    script = (REPOSITORY / "systemd/vigie").read_text().replace("/opt/vigie/current", str(installed))
    environment = os.environ | {"PYTHONPATH": str(planted), "PATH": f"{where}/bin:{os.environ['PATH']}"}
    for words in (["check"], ["run", "--for", "1"]):
        command = ["sh", "-c", script, "vigie", *words, "--config", str(config)]
        done = subprocess.run(command, cwd=planted, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    assert not (where / "ran").exists()


def test_an_emptied_register_is_said_at_the_start(config: Path) -> None:
    """How many lines are gone, and what to do; the node records on."""
    assert run(config).returncode == 0
    register = config.parent / "state/register.jsonl"
    register.write_bytes(b"")
    done = run(config)
    assert done.returncode == 0
    assert re.search(
        r"register\.jsonl is empty, and \d+ lines that had been written are gone\. `vigie register --verify`", done.stderr
    )
    verdict = subprocess.run([*VIGIE, "register", "--verify", "--config", str(config)], cwd=REPOSITORY, capture_output=True)
    assert verdict.returncode == 3


@pytest.mark.parametrize("content", [b"", b"\0" * 241, b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_key_that_is_no_key_is_said_with_the_remedy(config: Path, content: bytes) -> None:
    """What a power cut leaves of a copy: a node that signs does not start, says why, and what to do."""
    assert run(config).returncode == 0
    (config.parent / "state/identity/key.pem").write_bytes(content)
    done = run(config)
    assert done.returncode == 1
    assert "key.pem: " in done.stderr
    assert "ut the key back from where it was kept" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_node_that_signs_nothing_needs_no_key(config: Path) -> None:
    """With `sign = false` it starts over an empty key, says so, and records; its register is chained."""
    assert run(config, seconds=6).returncode == 0
    before = len(list((config.parent / "state/recordings").rglob("*.mp4")))
    (config.parent / "state/identity/key.pem").write_bytes(b"")
    config.write_text(CONFIG + "[evidence]\nsign = false\n")
    done = run(config, seconds=6)
    assert done.returncode == 0, done.stderr
    assert "key.pem: is empty" in done.stderr
    assert "the node runs without" in done.stderr
    assert len(list((config.parent / "state/recordings").rglob("*.mp4"))) > before
    lines = [json.loads(line) for line in (config.parent / "state/register.jsonl").read_text().splitlines()]
    assert lines[-1]["act"] == "recording-ended"
    assert "sig" in lines[0]
    assert "sig" not in lines[-1]
