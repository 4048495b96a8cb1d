"""A node is installed with what it runs, and nothing that measures or attacks it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, made of a copy: setuptools leaves traces where it works."""
    source = tmp_path_factory.mktemp("source")
    for name in ("agent", "hardware", "bench", "tests"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", ".", "."]
    subprocess.run(command, cwd=source, check=True, timeout=300)
    return next(source.glob("*.whl"))


def test_the_wheel_holds_agent_and_drivers_alone(wheel: Path) -> None:
    """No benchmark, no fault injector, no test."""
    packages = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"agent", "hardware"}


def test_the_wheel_holds_the_french_catalogue(wheel: Path) -> None:
    """As it is in the repository: there is nothing to compile."""
    catalogue = "agent/locale/fr/LC_MESSAGES/vigie.po"
    assert zipfile.ZipFile(wheel).read(catalogue) == (REPOSITORY / catalogue).read_bytes()


def test_bench_on_a_node_says_where_it_runs(wheel: Path, tmp_path: Path) -> None:
    """One sentence, and what to type, where a traceback would be."""
    with zipfile.ZipFile(wheel) as content:
        content.extractall(tmp_path)
    said = subprocess.run([sys.executable, "-m", "agent", "bench"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (said.returncode, said.stdout) == (2, "")
    assert "make bench" in said.stderr
    assert "Traceback" not in said.stderr
