"""An error is judged by its type and its code: its words change with a library's version, and hold what others wrote."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ONLY_WORDS = {
    "agent/base/database_refusal.py": "SQLite has one code for every statement that does not fit the schema",
    "agent/config/syntax.py": "Python 3.11's tomllib tells the line in its words alone",
}
"""Where a library gives nothing else. Each is tested against the library itself."""
_TEXTS = ("startswith", "endswith", "find", "index", "count", "search", "match", "fullmatch")


def judged_by_words(source: str) -> list[int]:
    """Lines that compare or search the text of an error: `str(error)`, its `what` or its `args`."""
    found = []
    for node in (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.expr)):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Compare) and _asks_for_words(node):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TEXTS:
            parts = [node.func.value, *node.args]
        if any(_is_text_of_error(part) for part in parts):
            found.append(node.lineno)
    return found


def _asks_for_words(node: ast.Compare) -> bool:
    """What is asked whether it is the text that was told before decides nothing but whether it is told again."""
    sides = [node.left, *node.comparators]
    same = all(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops)
    return any(isinstance(each, ast.Constant) for each in sides) if same else isinstance(node.ops[0], ast.In | ast.NotIn)


def _is_text_of_error(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]) | ast.Attribute(ast.Name(id=name), "what" | "args"):
            return "error" in name
        case ast.Call(func=ast.Attribute(value, "lower")):
            return _is_text_of_error(value)
        case ast.JoinedStr(values):
            return any(isinstance(each, ast.FormattedValue) and _names_error(each.value) for each in values)
    return False


def _names_error(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and "error" in node.id


def test_no_error_is_judged_by_its_words() -> None:
    """But where a library has nothing else."""
    files = [path for room in ("agent", "hardware", "bench") for path in (REPOSITORY / room).rglob("*.py")]
    found = {str(path.relative_to(REPOSITORY)) for path in files if judged_by_words(path.read_text())}
    assert found == set(ONLY_WORDS)


@pytest.mark.parametrize(
    "line",
    [
        'full = "disk is full" in str(error)',
        'why = "port" if str(error).startswith("Port") else ""',
        "named = error.what.startswith(name)",
        'full = "full" in f"{error} {error.__cause__}".lower()',
        'at = re.search("line ([0-9]+)", str(error))',
        'gone = str(error) == "gone"',
    ],
)
def test_a_judgement_by_words_is_found(line: str) -> None:
    """In each of the ways that stood here once."""
    assert judged_by_words(line) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "said = str(error)",
        "again = str(error) == before",
        "full = error.errno == errno.ENOSPC",
        'told = f"{error}, nothing more"',
    ],
)
def test_what_hands_the_words_on_is_none(line: str) -> None:
    """Words are for people."""
    assert judged_by_words(line) == []
