"""The scripts of systemd/ run on the distribution's Python, outside any package: they are loaded from their files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

UNITS = Path(__file__).parents[2] / "systemd"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"vigie_{name}", UNITS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def units() -> Path:
    """The folder of unit files."""
    return UNITS


@pytest.fixture(scope="session")
def generator() -> ModuleType:
    """systemd/generator.py"""
    return _load("generator")


@pytest.fixture(scope="session")
def release() -> ModuleType:
    """systemd/release.py"""
    return _load("release")


@pytest.fixture(scope="session")
def purge() -> ModuleType:
    """systemd/purge.py"""
    return _load("purge")
