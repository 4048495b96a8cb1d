"""The package of an older commit, built from this repository's history, lives on a board; today's takes over what it left."""

from __future__ import annotations

import json
import subprocess
import warnings
from pathlib import Path

import pytest

from tests.lanes.systemd.conftest import REPOSITORY, Boot, build, configure, install, listen, status, trial_of

pytestmark = pytest.mark.lane("systemd")

OLDER = "0e8260e"
"""Before features, words and the broadcast; the state it leaves is kept in tests/upgrade as well."""
VERSION = "0.0.9"


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Its package, under a version that today's replaces. None where this checkout has no history."""
    if subprocess.run(["git", "cat-file", "-e", OLDER], cwd=REPOSITORY, capture_output=True, check=False).returncode:
        return None
    sources = tmp_path_factory.mktemp("older")
    archive = subprocess.run(["git", "archive", OLDER], cwd=REPOSITORY, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", sources], input=archive, check=True)
    # What sets up a checkout would point this checkout's venv at the older sources: the venv is there already.
    (sources / "tools/setup.sh").write_text("#!/bin/sh\n")
    (sources / ".venv").symlink_to(REPOSITORY / ".venv")
    build(sources, sources / "made", "--version", VERSION)
    (made,) = (sources / "made").glob("*.deb")
    return made


def test_todays_release_takes_over_what_an_older_one_left(boot: Boot, package: Path, older: Path | None) -> None:
    """It passes its trial, and key, settings, films, holds, register and the count of events go on."""
    if older is None:
        warnings.warn(f"no history here: the package of {OLDER} is not built, tests/upgrade alone reads its state", stacklevel=1)
        assert (REPOSITORY / "tests/upgrade/state-after-the-move.tar.xz").exists()
        return
    board = boot("older")
    install(board, older)
    configure(board)
    listen(board)
    trial_of(board, 30)
    board.run("systemctl start vigie.target")
    board.wait_for("find /var/lib/vigie/recordings -name '*.mp4' | sort | tail -n +3", "mp4")
    before = status(board)
    assert before["version"] == VERSION
    span = f"--from {before['recording']['oldest']} --to {before['at']}"
    board.run(f"vigie hold add {span} --reference 'PV 2026/118' --by 'Cpt. Durand'")
    kept = "cat /var/lib/vigie/identity/chain.pem /etc/vigie/config.toml"
    key = board.run(kept).output

    # The older package had the configuration as a conffile, it was edited, and the example is another by now: nothing is asked.
    assert "on trial" in install(board, package)
    board.wait_for("/usr/lib/vigie/release status", "installed release runs")
    after = status(board)
    assert after["version"] != VERSION
    assert board.run(kept).output == key
    assert after["outbox"]["epoch"] == before["outbox"]["epoch"]
    assert after["outbox"]["sequence"] > before["outbox"]["sequence"]
    assert after["recording"]["oldest"] == before["recording"]["oldest"]
    (hold,) = json.loads(board.run("vigie hold list --json").output)["holds"]
    assert hold["reference"] == "PV 2026/118"
    board.run("vigie register --verify")
    first = board.run("find /var/lib/vigie/recordings -name '*.mp4' | sort | head -n 1").output.strip()
    judged = json.loads(board.run(f"vigie verify {first} --ca /var/lib/vigie/identity/ca.pem --json").output)
    assert judged["verdict"] == "authentic"
