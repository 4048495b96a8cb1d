"""Prints what setup.py asks for, one requirement a line: the run-time ones, then those of the extras that are named."""

from __future__ import annotations

import runpy
import sys
import types
from pathlib import Path
from typing import Any


def asked_for(*extras: str) -> list[str]:
    """The requirements as setup.py writes them. A new venv has no setuptools, and none is needed to read two lists."""
    asked: dict[str, Any] = {}
    held = sys.modules.get("setuptools")
    sys.modules["setuptools"] = types.SimpleNamespace(find_packages=lambda **_: [], setup=asked.update)  # type: ignore[assignment]
    try:
        runpy.run_path(str(Path(__file__).resolve().parents[1] / "setup.py"))
    finally:
        if held is None:
            del sys.modules["setuptools"]
        else:
            sys.modules["setuptools"] = held
    return [*asked["install_requires"], *(each for extra in extras for each in asked["extras_require"][extra])]


if __name__ == "__main__":
    sys.stdout.write("\n".join(asked_for(*sys.argv[1:])) + "\n")
