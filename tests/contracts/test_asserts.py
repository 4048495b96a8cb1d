"""The daemon runs under `python -OO`, which drops every assert: what guards a value raises an error of the tree instead."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SHIPPED = ("agent", "hardware")


def guards(source: str) -> list[int]:
    """The lines of asserts that do more than tell mypy a type: neither `isinstance(...)` nor `... is not None`."""
    return [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert) and not _narrows(node.test)]


def _narrows(test: ast.expr) -> bool:
    if isinstance(test, ast.Call):
        return isinstance(test.func, ast.Name) and test.func.id == "isinstance"
    if isinstance(test, ast.Compare):
        against = test.comparators[0]
        return isinstance(test.ops[0], ast.IsNot) and isinstance(against, ast.Constant) and against.value is None
    return False


@pytest.mark.parametrize("package", SHIPPED)
def test_no_assert_guards_a_value(package: str) -> None:
    """Whatever an assert in the product says, mypy could say as well."""
    found = {str(path): guards(path.read_text()) for path in sorted((REPOSITORY / package).rglob("*.py"))}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("line", "is_guard"),
    [
        ("assert isinstance(x, int)", False),
        ("assert x is not None", False),
        ("assert x", True),
        ("assert x > 0, 'x'", True),
        ("assert isinstance(x, int) and x > 0", True),
        ("assert x is None", True),
        ("assert len(x) == 2", True),
    ],
)
def test_a_guard_is_told_from_a_narrowing(line: str, is_guard: bool) -> None:
    """The check above sees each of them."""
    assert bool(guards(line)) is is_guard


def test_a_file_that_could_never_be_replaced_is_not_written_by_the_daemon_either(tmp_path: Path) -> None:
    """Under -OO too: content of another kind than was announced is refused, and nothing is left there."""
    code = (
        "import sys; from pathlib import Path; from agent.base.output_file import Output\n"
        "Output(Path(sys.argv[1]), b'%PDF').write(b'<html>')"
    )
    out = tmp_path / "sheet"
    done = subprocess.run([sys.executable, "-OO", "-c", code, out], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert "of another kind" in done.stderr
    assert not out.exists()
