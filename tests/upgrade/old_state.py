"""The state that an older commit's node left, unpacked, and today's commands over it at a time of our choice."""

from __future__ import annotations

import json
import runpy
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.base.clock import NS
from agent.node.signals import HEARD
from tests.support.footage import REPOSITORY

HERE = Path(__file__).parent
OLD_PLACE = "/place/of/the/old/node"
NAMES = sorted(path.name.removeprefix("state-").removesuffix(".tar.xz") for path in HERE.glob("state-*.tar.xz"))
HOUR_S = 3600
DAY_S = 24 * HOUR_S


@dataclass
class OldState:
    """A node's directory: `config.toml`, `state/`. The clock of each command begins `later_s` after the old node's end."""

    directory: Path
    left_ns: int
    later_s: float = HOUR_S

    @classmethod
    def unpacked(cls, name: str, directory: Path) -> OldState:
        """A copy of its own."""
        with tarfile.open(HERE / f"state-{name}.tar.xz") as archive:
            archive.extractall(directory, filter="tar")
        kept = directory / "state/config.last-good.toml"
        kept.write_text(kept.read_text().replace(OLD_PLACE, str(directory)))
        return cls(directory, json.loads((directory / "made.json").read_text())["left_ns"])

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    @property
    def state(self) -> Path:
        return self.directory / "state"

    def report_to(self, url: str) -> None:
        """Another broker: the one change of the configuration."""
        lines = [f'url = "{url}"' if line.startswith("url = ") else line for line in self.config.read_text().splitlines()]
        self.config.write_text("\n".join(lines) + "\n")

    def films(self) -> list[Path]:
        """Every segment."""
        return sorted((self.state / "recordings").rglob("*.mp4"))

    def register(self) -> list[dict[str, Any]]:
        """Its lines."""
        return [json.loads(line) for line in (self.state / "register.jsonl").read_text().splitlines()]

    def command(self, module: str, *words: str) -> list[str]:
        """A process of today's code whose clock is turned."""
        shift_ns = time.time_ns() - self.left_ns - round(self.later_s * NS)
        return [sys.executable, "-m", "tests.upgrade.old_state", str(shift_ns), module, *words]

    @contextmanager
    def running(self) -> Iterator[None]:
        """The daemon in the background, what it says in `run.log`; ended in order."""
        with (self.directory / "run.log").open("a", encoding="utf-8") as log:
            command = self.command("agent.node.daemon", "--config", str(self.config))  # what `vigie run` turns into
            before = signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)  # as `vigie run` hands them on
            try:
                process = subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            try:
                yield
            finally:
                process.terminate()
                code = process.wait(60)
        assert code == 0, self.log()

    def log(self) -> str:
        """What the daemon said."""
        return (self.directory / "run.log").read_text(encoding="utf-8")

    def vigie(self, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        """One command to its end; its exit code must be `expect`."""
        config = () if words[0] == "verify" else ("--config", str(self.config))
        command = self.command("agent", *words, *config)
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == expect, f"vigie {words} left with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def answer(self, *words: str, expect: int = 0) -> dict[str, Any]:
        """The same, as JSON."""
        found = json.loads(self.vigie(*words, "--json", expect=expect).stdout)
        assert isinstance(found, dict)
        return found


def _turned(shift_ns: int, module: str, *words: str) -> None:
    """Run a module as `python -m` does, its wall clock so far back."""
    real = time.time_ns
    time.time_ns = lambda: real() - shift_ns
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _turned(int(sys.argv[1]), *sys.argv[2:])
