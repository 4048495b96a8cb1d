"""What is installed is what is written down: each dependency at one exact version, known by its hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.requirements import asked_for

LOCKS = Path(__file__).parents[2] / "tools" / "locks"


def locked(name: str) -> dict[str, list[tuple[Requirement, int]]]:
    """Package to its pinned requirements (one for each marker) and the number of hashes each has."""
    found: dict[str, list[tuple[Requirement, int]]] = {}
    for block in re.split(r"\n(?=\S)", (LOCKS / f"{name}.txt").read_text(encoding="ascii").strip()):
        requirement = Requirement(block.split("\\", 1)[0].strip())
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)
        found.setdefault(canonicalize_name(requirement.name), []).append((requirement, len(hashes)))
    return found


@pytest.mark.parametrize("lock", sorted(path.stem for path in LOCKS.glob("*.txt")))
def test_each_line_of_a_lock_is_exact_and_known_by_hash(lock: str) -> None:
    """No range, no address, no line without a hash."""
    assert "://" not in (LOCKS / f"{lock}.txt").read_text(encoding="ascii")
    for pins in locked(lock).values():
        for requirement, hashes in pins:
            assert [each.operator for each in requirement.specifier] == ["=="], requirement
            assert hashes, requirement


@pytest.mark.parametrize(
    ("lock", "extras"), [("demo", ()), ("test", ("systemd", "dev")), ("deb-bookworm", ()), ("deb-trixie", ())]
)
def test_a_lock_answers_all_that_setup_py_asks_for(lock: str, extras: tuple[str, ...]) -> None:
    """A requirement that was added or raised without `make lock` is found here, and not by whoever installs."""
    pins = locked(lock)
    for line in asked_for(*extras):
        asked = Requirement(line)
        found = pins.get(canonicalize_name(asked.name), [])
        assert found, f"{asked.name} is not in tools/locks/{lock}.txt: make lock"
        for pinned, _ in found:
            version = next(iter(pinned.specifier)).version
            assert asked.specifier.contains(version, prereleases=True), f"tools/locks/{lock}.txt has {pinned}: make lock"


def test_what_is_installed_here_is_what_the_lock_says() -> None:
    """The tests run on the locked versions, not on whatever was newest."""
    from importlib.metadata import version

    for name, pins in locked("test").items():
        for requirement, _ in pins:
            if requirement.marker is None or requirement.marker.evaluate():
                assert requirement.specifier.contains(version(name), prereleases=True), f"{name}: make setup"
