"""What a lane installs for itself, once for all runs: a directory named by what is wanted, whole or not there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support import parts

CACHE = Path(os.environ.get("VIGIE_LANE_CACHE", "/var/cache/vigie-lanes"))


def made_once(name: str, wanted: str, make: Callable[[Path], None]) -> Path:
    """The directory that `make` filled for these wishes, now or before. Other runs wait meanwhile."""
    cache = CACHE if os.access(CACHE if CACHE.exists() else CACHE.parent, os.W_OK) else Path.home() / ".cache" / "vigie-lanes"
    made = cache / f"{name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "whole").exists():
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            make(made)
            (made / "whole").touch()
    return made


def from_npm(name: str, package: Path) -> Path:
    """A directory with `node_modules` of this package.json. Fails or skips when it cannot be."""
    npm = parts.program("npm", "npm")
    parts.program("node", "nodejs")

    def make(directory: Path) -> None:
        shutil.copy(package, directory / "package.json")
        # No lock file: it would name this machine's registry. The versions are pinned in package.json.
        command = [npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
        _run(command, directory, f"{name} from npm")

    return made_once(name, package.read_text(), make)


def from_pypi(name: str, requirements: Path) -> Path:
    """The Python of a venv with these requirements. Fails or skips when it cannot be."""

    def make(directory: Path) -> None:
        _run([sys.executable, "-m", "venv", str(directory / "venv")], directory, f"a venv for {name}")
        pip = [
            str(directory / "venv" / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--disable-pip-version-check",
        ]
        _run([*pip, "-r", str(requirements)], directory, f"{name} from PyPI")

    return made_once(name, requirements.read_text() + sys.version, make) / "venv" / "bin" / "python"


def _run(command: Sequence[str], directory: Path, what: str) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=600)
    if done.returncode:
        parts.missing(what, f"its registry must be reached: {done.stderr[-400:]}")
