"""The first two locks: handing a raw frame to a sink is a type error, and the check fails when a signature is loosened."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
CASES = Path(__file__).with_name("raw_frames_and_sinks.py")
MARK = re.compile(r"# refused: (?P<codes>[a-z,-]+)")
ERROR = re.compile(r"^(?P<path>[^:]+):(?P<line>\d+)(?::\d+)?: error: .*\[(?P<code>[a-z-]+)\]$")
Refusals = Counter[tuple[int, str]]


def expected(cases: Path) -> Refusals:
    """Line and error code of everything that must be refused."""
    return Counter(
        (number, code)
        for number, line in enumerate(cases.read_text(encoding="utf-8").splitlines(), 1)
        if (mark := MARK.search(line))
        for code in mark["codes"].split(",")
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages with the cases beside them, and one mypy cache for all runs on it."""
    place = tmp_path_factory.mktemp("house")
    for package in ("agent", "hardware"):
        shutil.copytree(REPOSITORY / package, place / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(REPOSITORY / "pyproject.toml", place)
    shutil.copy(CASES, place)
    return place


def refused(house: Path) -> Refusals:
    """What mypy --strict refuses of the cases; an error anywhere else fails the test that asked."""
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--follow-imports=silent", "--show-error-codes", CASES.name],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    found: Refusals = Counter()
    for line in run.stdout.splitlines():
        error = ERROR.match(line)
        if error is None:
            assert ": note:" in line, line
            continue
        assert error["path"] == CASES.name, line
        found[int(error["line"]), error["code"]] += 1
    return found


def test_every_way_around_the_mask_is_a_type_error(house: Path) -> None:
    """mypy refuses exactly the marked lines, each with its own error, and passes the masked frame."""
    assert refused(house) == expected(CASES)


def _replaced(path: str, old: str, new: str) -> Callable[[Path], None]:
    def loosen(house: Path) -> None:
        module = house / path
        text = module.read_text(encoding="utf-8")
        assert old in text, f"{path} no longer has {old!r}: say here how its lock could be loosened now"
        module.write_text(text.replace(old, new), encoding="utf-8")

    return loosen


LOOSENED = {
    "the port lets encoders take raw frames": _replaced(
        "agent/ports/video.py", "def encode(self, frame: MaskedFrame)", "def encode(self, frame: MaskedFrame | RawFrame)"
    ),
    "x264 takes anything": _replaced(
        "hardware/encoder_libav.py", "def encode(self, frame: MaskedFrame)", "def encode(self, frame: object)"
    ),
    "a detector takes anything": _replaced(
        "agent/analytics/motion.py", "def observe(self, frame: MaskedFrame)", "def observe(self, frame: object)"
    ),
    "stills take anything with planes": _replaced("agent/stream/still.py", "def jpeg(frame: MaskedFrame,", "def jpeg(frame: object,"),
    "the preview takes anything": _replaced(
        "agent/console/preview.py", "def show(self, frame: MaskedFrame)", "def show(self, frame: object)"
    ),
    "the seal is any object": _replaced("agent/mask/privacy_mask.py", "seal: _Seal,", "seal: object,"),
    "a masked frame may be subclassed": _replaced("agent/mask/privacy_mask.py", "@final\nclass MaskedFrame", "class MaskedFrame"),
    "a raw frame may be subclassed": _replaced("agent/picture/frame.py", "@final\nclass RawFrame", "class RawFrame"),
    "a raw frame is a masked one": _replaced("agent/mask/privacy_mask.py", "MaskedFrame", "Any"),
}


@pytest.mark.parametrize("lock", LOOSENED)
def test_a_loosened_lock_is_noticed(house: Path, lock: str) -> None:
    """With one signature loosened the check above fails: mypy then lets something pass that must be refused."""
    kept = {path: path.read_bytes() for path in house.rglob("*.py")}
    try:
        LOOSENED[lock](house)
        assert expected(CASES) - refused(house)
    finally:
        for path, content in kept.items():
            if path.read_bytes() != content:
                path.write_bytes(content)
