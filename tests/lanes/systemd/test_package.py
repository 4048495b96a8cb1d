"""The package on a bare board: installed in one step, upgraded, rolled back by itself, purged save evidence under hold."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.lanes.systemd.conftest import Boot, configure, install, listen, show, status, trial_of
from tests.support.nspawn import Machine

pytestmark = pytest.mark.lane("systemd")

SITE = "opt/vigie/release/lib/python3.11/site-packages"

Derive = Callable[..., Path]


@pytest.fixture(scope="module")
def derive(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Derive:
    """A later release: the same package under another version, with some of its modules replaced."""
    directory = tmp_path_factory.mktemp("releases")
    root = directory / "root"
    subprocess.run(["dpkg-deb", "--raw-extract", package, root], check=True)

    def make(version: str, **replaced: str) -> Path:
        control = root / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*", f"Version: {version}", control.read_text(), flags=re.M))
        (root / SITE / "agent/VERSION").write_text(f"{version}\n")
        sources = {root / SITE / (module.replace("__", "/") + ".py"): text for module, text in replaced.items()}
        originals = {path: path.read_text() for path in sources}
        for path, text in sources.items():
            path.write_text(text)
            for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
                compiled.unlink()
        made = directory / f"vigie_{version}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", root, made], check=True, capture_output=True)
        for path, text in originals.items():
            path.write_text(text)
        return made

    return make


@pytest.fixture(scope="module")
def bare(boot: Boot) -> Machine:
    """A board as Debian leaves it."""
    return boot("bare")


def test_one_step_brings_everything(bare: Machine, package: Path) -> None:
    """User, units, configuration and command are there; nothing runs before four lines are edited, save destruction."""
    said = install(bare, package)
    assert "edit /etc/vigie/config.toml" in said
    assert set(bare.run("id -nG vigie").output.split()) == {"vigie", "video", "render", "dialout"}
    assert bare.run("command -v vigie").output == "/usr/bin/vigie"
    assert "ok" in bare.run("vigie check").output
    assert bare.run("cmp /etc/vigie/config.toml /usr/share/vigie/config.example.toml").output == ""
    assert bare.run("stat -c '%U:%G %a' /etc/vigie/config.toml /var/lib/vigie").output.splitlines() == [
        "root:vigie 640",
        "vigie:vigie 750",
    ]
    assert show(bare, "ActiveState")["ActiveState"] == "inactive"
    assert bare.run("systemctl is-enabled vigie.target vigie.service vigie-retention.timer").output.split() == ["enabled"] * 3
    assert show(bare, "ActiveState", unit="vigie-retention.timer")["ActiveState"] == "active"


def test_everything_starts_with_the_target(bare: Machine) -> None:
    """What boot pulls in is one target."""
    configure(bare)
    listen(bare)
    bare.run("systemctl start vigie.target")
    bare.wait_for("systemctl is-active vigie.service", "^active")
    assert status(bare)["node"] == "pole-7"


def test_upgrade_keeps_state_and_settings(bare: Machine, derive: Derive) -> None:
    """A new release that does the node's job stays; key, recordings, count of events and the edited file are as they were.

    The newer release is derived from the same code; `test_older_release.py` begins with an older commit's package.
    """
    trial_of(bare, 30)
    before = status(bare)
    kept = "cat /var/lib/vigie/identity/chain.pem /etc/vigie/config.toml"
    key = bare.run(kept).output
    said = install(bare, derive("0.8.0"))
    assert "on trial" in said
    bare.wait_for("/usr/lib/vigie/release status", "installed release runs")
    after = status(bare)
    assert (after["version"], after["outbox"]["epoch"]) == ("0.8.0", before["outbox"]["epoch"])
    assert after["outbox"]["sequence"] > before["outbox"]["sequence"]
    assert after["recording"]["oldest"] == before["recording"]["oldest"]
    assert bare.run(kept).output == key


def test_release_that_does_not_do_its_job_is_rolled_back(bare: Machine, derive: Derive) -> None:
    """It answers, it masks, but it records nothing: after its time the former release runs again, state whole, and says why."""
    broken = "class LibavMuxer:\n    def __init__(self, *_):\n        from agent.base.errors import StorageError\n"
    broken += "        raise StorageError('this release cannot write')\n"
    before = status(bare)
    install(bare, derive("0.9.0", hardware__muxer_libav=broken))
    bare.wait_for("vigie status --json", '"version": "0.9.0"')
    assert "nothing is recorded" in bare.wait_for("/usr/lib/vigie/release status", "0.8.0 runs again")
    bare.wait_for("vigie status --json", '"version": "0.8.0"(.|\n)*"state": "recording"')
    after = status(bare)
    assert after["recording"]["oldest"] == before["recording"]["oldest"]
    assert after["outbox"]["epoch"] == before["outbox"]["epoch"]
    assert bare.run("journalctl --no-pager --unit=vigie-trial.service --grep='did not do the node'").output


def test_release_that_cannot_start_is_rolled_back(bare: Machine, derive: Derive) -> None:
    """A release that dies on import goes the same way, and the way back is the release that worked, not the failed one."""
    install(bare, derive("0.9.1", agent__cli__run="raise ImportError('torn')\n"))
    bare.wait_for("/usr/lib/vigie/release status", "0.8.0 runs again")
    bare.wait_for("vigie status --json", '"version": "0.8.0"')


def test_purge_leaves_evidence_under_hold_and_what_proves_it(bare: Machine) -> None:
    """Held recordings stay with catalog, register and certificates; the rest, the key and the secrets go."""
    bare.wait_for("find /var/lib/vigie/recordings -name '*.mp4' | wc -l", r"^([4-9]|\d\d)")
    bare.run("systemctl stop vigie.service")
    films = bare.run("find /var/lib/vigie/recordings -name '*.mp4' | sort").output.split()
    begun = begin_of(films[0])
    span = f"--from {begun.isoformat()} --to {(begun + timedelta(seconds=1)).isoformat()}"
    bare.run(f"vigie hold add {span} --reference 'PV 2026/117' --by 'Cpt. Durand'")
    said = bare.run("apt-get purge --yes --quiet vigie").output
    assert "under hold" in said
    left = bare.run("find /var/lib/vigie -type f").output.split()
    assert [path for path in left if path.endswith(".mp4")] == films[:1]
    names = {path.removeprefix("/var/lib/vigie/") for path in left if not path.endswith(".mp4")}
    assert {"catalog.sqlite3", "register.jsonl", "identity/chain.pem"} <= names
    assert "identity/key.pem" not in names
    assert bare.run("ls /etc/vigie /opt/vigie /usr/bin/vigie", check=False).code != 0
    assert bare.run("getent passwd vigie", check=False).output
    assert bare.run("systemctl list-unit-files --no-legend 'vigie*'", check=False).output == ""


def begin_of(film: str) -> datetime:
    """When a segment begins, by its name: recordings/2026/11/23/101500.123.mp4."""
    return datetime.strptime("/".join(film.split("/")[-4:]), "%Y/%m/%d/%H%M%S.%f.mp4").replace(tzinfo=UTC)


def test_purge_without_a_hold_leaves_nothing(boot: Boot, package: Path) -> None:
    """Not a file, not a user, not a unit: the board is as before, recordings on another disk included."""
    board = boot("purged")
    list_files = "find / -xdev -type f -not -path '/var/log/*' -not -path '/var/cache/*' -not -path '/root/*'"
    before = board.run(list_files).output
    install(board, package)
    elsewhere = "/media/ssd/recordings"
    board.run(f"install -d -o vigie -g vigie {elsewhere} && echo ours >/media/ssd/not-vigies")
    configure(board)
    board.run(f"sed -i '/^segment_seconds/a directory = \"{elsewhere}\"' /etc/vigie/config.toml")
    board.run("systemctl daemon-reload; systemctl start vigie.target")
    board.wait_for(f"find {elsewhere} -name '*.mp4' -size +1k", "mp4")
    board.run("apt-get purge --yes --quiet vigie")
    assert board.run("getent passwd vigie", check=False).output == ""
    left = set(board.run(list_files).output.split()) - set(before.split())
    assert [path for path in left if "vigie" in path] == ["/media/ssd/not-vigies"]
