"""docs/adding.md is true: each addition works as it stands there, and each step that is left out is missed by name."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

ROOT = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "adding.md").read_text(encoding="utf-8")
COPIED: Final = ("agent", "hardware", "bench", "tests", "tools", "docs", "config.example.toml", "pyproject.toml", "setup.py")
LIMITS: Final = {"A camera": 4, "A detector with its event": 4, "A key": 3, "A live output": 5, "A whole feature": 6}
HOUSE_RULES: Final = ("tests/contracts/test_sizes.py", "tests/docs/test_threads.py", "tests/contracts/test_one_meaning.py")
"""What every addition has to meet as well."""
PLACE = re.compile(r"^(Above|Below|Instead of) .*?`([^\n]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUARD = re.compile(r"^Left out: `([^`]+)`", re.MULTILINE)


class Step(Struct, frozen=True):
    """One file of an addition: what is done to it, and which test misses it."""

    title: str
    body: str

    @property
    def file(self) -> str:
        return self.title.removeprefix("New file ").removeprefix("Made: ")

    @property
    def guard(self) -> str:
        (found,) = GUARD.findall(self.body)
        return str(found)

    def carry_out(self, tree: Path) -> None:
        """In this copy, as the page says it."""
        path = tree / self.file
        if self.title.startswith("Made: "):
            (program,) = re.findall(r"Run `([^`]+)`", self.body)
            run(tree, program)
        elif self.title.startswith("New file "):
            (content,) = BLOCK.findall(self.body)
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
        else:
            places = PLACE.findall(self.body)
            assert places, self.title
            for how, anchor, content in places:
                path.write_text(changed(path.read_text(encoding="utf-8"), how, anchor, content), encoding="utf-8")


def changed(text: str, how: str, anchor: str, content: str) -> str:
    """The text with `content` put where the page says. The anchor stands there once."""
    anchor = anchor.rpartition("that is above `")[2]
    if how == "Instead of":
        assert text.count(anchor) == 1, anchor
        return text.replace(anchor, content.removesuffix("\n"))
    lines = text.splitlines(keepends=True)
    (at,) = [number for number, line in enumerate(lines) if line.startswith(anchor)]
    lines.insert(at + (how == "Below" and "that is above" not in anchor), content)
    return "".join(lines)


def additions() -> dict[str, tuple[list[Step], str]]:
    """Each of the five, by its name: its steps, and the program that sees it work."""
    found = {}
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        name, _, text = section.partition("\n")
        parts = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
        steps = [Step(*re.sub(r"^\d+\. ", "", part).split("\n", 1)) for part in parts if not part.startswith("It works")]
        (works,) = [BLOCK.findall(part)[0] for part in parts if part.startswith("It works")]
        found[name] = (steps, works)
    return found


ADDITIONS: Final = additions()
OMISSIONS: Final = [(name, number) for name, (steps, _) in ADDITIONS.items() for number in range(len(steps))]


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python on this copy; nothing of this process's own tree is imported."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=300, check=False)


def judged(tree: Path, guards: set[str]) -> subprocess.CompletedProcess[str]:
    """What these tests say of this copy."""
    return run(tree, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=line", *sorted(guards))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the repository to add to."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", "images"))
        else:
            shutil.copy(source, tree / name)
    return tree


def test_the_five_are_there_and_take_no_more_files_than_is_aimed_at() -> None:
    """Written by hand; what a program makes is named apart."""
    written = {name: len([step for step in steps if not step.title.startswith("Made")]) for name, (steps, _) in ADDITIONS.items()}
    assert written.keys() == LIMITS.keys()
    assert all(written[name] <= most for name, most in LIMITS.items())
    table = re.findall(r"^\| (a [^|]+?)(?:, with [^|]+)? \| (\d+) \|", PAGE, re.MULTILINE)
    assert {name.capitalize(): int(count) for name, count in table} == written


@pytest.mark.parametrize("name", ADDITIONS)
def test_an_addition_works_as_it_is_written(tree: Path, name: str) -> None:
    """All steps, in order: its program sees it work, and every guard is content."""
    steps, works = ADDITIONS[name]
    for step in steps:
        step.carry_out(tree)
    (tree / "works.py").write_text(works, encoding="utf-8")
    seen = run(tree, "works.py")
    assert seen.returncode == 0, seen.stdout + seen.stderr
    found = judged(tree, {step.guard for step in steps} | set(HOUSE_RULES))
    assert found.returncode == 0, found.stdout + found.stderr
    written = [step.file for step in steps if step.file.endswith(".py")]
    for lint in (["check"], ["format", "--check"]):
        found = run(tree, "-m", "ruff", *lint, *written)
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(("name", "left_out"), OMISSIONS, ids=[f"{name}-{number + 1}" for name, number in OMISSIONS])
def test_a_step_that_is_left_out_is_missed(tree: Path, name: str, left_out: int) -> None:
    """All steps but one: the test that the page names fails. Nothing is forgotten in silence."""
    steps, _ = ADDITIONS[name]
    for number, step in enumerate(steps):
        if number != left_out:
            step.carry_out(tree)
    found = judged(tree, {steps[left_out].guard})
    assert found.returncode in (1, 2), found.stdout + found.stderr
    assert "no tests ran" not in found.stdout.replace("error", "")
