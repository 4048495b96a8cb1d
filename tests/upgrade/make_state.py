"""Make one `state-*.tar.xz`: two lives of a small node of an older commit, its broker gone in the midst of the first.

    sudo .venv/bin/python -m tests.upgrade.make_state COMMIT tests/upgrade/state-NAME.tar.xz

Root is needed for the boot: the node sees one of its own in `/proc`, so that no later machine takes itself for the same.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from agent.demo.broker import LocalBroker
from tests.support.deadline import until
from tests.support.footage import REPOSITORY
from tests.upgrade.old_state import OLD_PLACE

CONFIG = """\
[node]
id = "pole-7"
site = "Place de l'Horloge"
state_dir = "state"
[camera]
driver = "synthetic"
width = 320
height = 240
fps = 10
[[privacy.mask]]
name = "first floor"
polygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2], [0.1, 0.2]]
[encoding]
bitrate_kbps = 60
keyframe_seconds = 1.0
[recording]
segment_seconds = 5.0
retention_days = 30.0
min_free_mb = 1
[mqtt]
url = "mqtt://127.0.0.1:{port}"
health_seconds = 1.0
[console]
enabled = false
"""
OTHER_BOOT = "5d3e1e0a-6b0c-4f0e-9f3a-0e8260e2c017"
IN_ANOTHER_BOOT = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"'


class OldNode:
    """An older commit's checkout, and the directory of its node."""

    def __init__(self, checkout: Path, directory: Path) -> None:
        self.checkout, self.directory = checkout, directory
        (directory / "boot_id").write_text(OTHER_BOOT + "\n")

    def command(self, *words: str) -> list[str]:
        """`vigie WORDS` of that commit, in the other boot."""
        shell = ["unshare", "--mount", "sh", "-c", IN_ANOTHER_BOOT, "sh", str(self.directory / "boot_id")]
        return [*shell, sys.executable, "-m", "agent", *words, "--config", str(self.directory / "config.toml")]

    def vigie(self, *words: str) -> str:
        """To its end."""
        done = subprocess.run(self.command(*words), cwd=self.checkout, check=True, stdout=subprocess.PIPE, text=True, timeout=120)
        return done.stdout

    def films(self) -> int:
        """How many segments there are."""
        return len(list((self.directory / "state/recordings").rglob("*.mp4")))

    def live(self, segments: int, broker: LocalBroker | None = None) -> None:
        """A life until so many segments have begun; half-way its broker goes away."""
        before = self.films()
        process = subprocess.Popen(self.command("run"), cwd=self.checkout)
        until(lambda: self.films() > before, "the first segment")
        until(lambda: self.films() > before + segments // 2, "half of them")
        if broker is not None:
            broker.kill()
        until(lambda: self.films() >= before + segments, "all of them")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def make(commit: str, out: Path) -> None:
    """Run that commit's node and keep what it leaves."""
    with tempfile.TemporaryDirectory(prefix="vigie-old-") as name:
        checkout, directory = Path(name) / "checkout", Path(name) / "node"
        directory.mkdir()
        subprocess.run(["git", "worktree", "add", "--detach", checkout, commit], cwd=REPOSITORY, check=True)
        try:
            two_lives(OldNode(checkout, directory), Path(name) / "broker")
            note = {"commit": commit, "left_ns": int(datetime.now(UTC).timestamp() * 1e9)}
            (directory / "made.json").write_text(json.dumps(note) + "\n")
            pack(directory, out)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", checkout], cwd=REPOSITORY, check=True)


def two_lives(node: OldNode, broker_directory: Path) -> None:
    """Commissioned, filmed, held, filmed again."""
    broker = LocalBroker(broker_directory)
    with broker:
        (node.directory / "config.toml").write_text(CONFIG.format(port=broker.port))
        node.vigie("masks", "validate", "--by", "A. Martin")
        begun = datetime.now(UTC)
        node.live(4, broker)
    span = [f"{instant:%Y-%m-%dT%H:%M:%SZ}" for instant in (begun, datetime.now(UTC))]
    node.vigie("hold", "add", "--from", span[0], "--to", span[1], "--reference", "PV 2026/417", "--by", "Parquet")
    node.live(2)


def pack(directory: Path, out: Path) -> None:
    """Without sockets, and with the place of the state directory named by a word that the test replaces."""
    kept = directory / "state/config.last-good.toml"
    kept.write_text(kept.read_text().replace(str(directory), OLD_PLACE))
    with tarfile.open(out, "w:xz") as archive:
        for name in ("config.toml", "made.json", "state"):
            archive.add(directory / name, name, filter=lambda entry: None if entry.name.startswith("state/run") else entry)


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]).absolute())
