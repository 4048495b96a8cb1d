"""Commands in a directory that their user cannot enter, or that is gone: root's `vigie` becomes another user where it stands."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.base.process_exit import STARTED_BY
from agent.demo.broker import LocalBroker
from tests.support import parts
from tests.support.footage import REPOSITORY

VIGIE = (sys.executable, "-P", "-m", "agent")


def started(before: str, arguments: tuple[str, ...], **environment: str) -> subprocess.CompletedProcess[str]:
    """A command begun by a shell after `before`, bound by the permissions of files even where the tests run as root."""
    bound: list[str] = []
    if os.geteuid() == 0:
        bound = [parts.program("setpriv", "util-linux"), "--bounding-set=-dac_override,-dac_read_search,-fowner", "--"]
    return subprocess.run(
        ["sh", "-c", f"{before} && exec {shlex.join([*bound, *VIGIE, *arguments])}"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Path]:
    """A directory that nobody enters by its name once a shell has closed it behind itself."""
    directory = tmp_path / "closed"
    directory.mkdir()
    yield directory
    directory.chmod(0o700)


def test_a_fleet_runs_where_its_user_cannot_enter(tmp_path: Path, closed: Path) -> None:
    """Its hub is a process of its own, which begins where the fleet stands and asks for no name."""
    with LocalBroker(tmp_path / "broker") as broker:
        fleet = ("fleet", "simulate", "--nodes", "1", "--for", "1", "--broker", broker.url, "--json")
        done = started(f"cd {closed} && chmod 0 .", fleet)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"lossless": true' in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("masks", "show", "--out", "x.png"),
        ("run", "--for", "1", "--summary", "s.json"),
        ("demo", "--for", "1"),
        ("verify", "film.mp4", "--ca", "ca.pem"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_directory_that_is_closed_or_gone_is_one_line(arguments: tuple[str, ...], tmp_path: Path, closed: Path) -> None:
    """It says what is not there or forbidden, and is never called an error of ours."""
    gone = tmp_path / "gone"
    gone.mkdir()
    for before in (f"cd {closed} && chmod 0 .", f"cd {gone} && rmdir {gone}"):
        done = started(before, arguments, **{STARTED_BY: "root"})
        (line,) = done.stderr.splitlines()
        assert done.returncode in {1, 2}
        assert "internal error" not in line
        if "chmod" in before:
            assert "works as user vigie" in line
            assert "chgrp vigie" in line
        closed.chmod(0o700)


def test_roots_key_that_the_nodes_user_cannot_read_is_told_with_the_remedy(tmp_path: Path) -> None:
    """Only root's installed command says so: nobody else's has become another user."""
    key, certificate = tmp_path / "watch.key", tmp_path / "watch.pem"
    for path in (key, certificate):
        path.write_text("x", encoding="ascii")
    key.chmod(0)
    watch = ("watch", "--broker", "mqtts://127.0.0.1:1", "--cert-file", str(certificate), "--key-file", str(key), "--for", "1")
    mine, roots = started("true", watch), started("true", watch, **{STARTED_BY: "root"})
    for done in (mine, roots):
        (line,) = done.stderr.splitlines()
        assert done.returncode == 2
        assert f"'{key}' is not readable" in line
    assert "chgrp vigie" in roots.stderr
    assert "vigie FILE" not in mine.stderr
