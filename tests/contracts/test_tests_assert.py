"""A test that asserts nothing passes whatever the code does."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
_CLAIMS = ("raises", "warns", "fail", "expect", "until")
"""What pytest, Playwright and `tests/support/deadline.py` claim with."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def assertless(sources: Iterable[str]) -> Iterator[str]:
    """Tests without an assert of their own or in a helper that they call; helpers are known by name, wherever they stand."""
    functions = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, Function)]
    helpers: set[str] = set()
    while more := {each.name for each in functions if _claims(each, helpers)} - helpers:
        helpers |= more
    yield from (each.name for each in functions if each.name.startswith("test_") and each.name not in helpers)


def _claims(function: Function, helpers: set[str]) -> bool:
    return any(
        isinstance(node, ast.Assert | ast.Raise) or (isinstance(node, ast.Call) and _claimed_by(node, helpers))
        for node in ast.walk(function)
    )


def _claimed_by(call: ast.Call, helpers: set[str]) -> bool:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _CLAIMS or name.startswith("assert_") or (name in helpers and not name.startswith("test_"))
    return False


def test_every_test_asserts() -> None:
    """Itself, or by a helper."""
    assert sorted(assertless(path.read_text() for path in TESTS.rglob("*.py"))) == []


def test_a_test_without_a_claim_is_found() -> None:
    """One that only runs, one that calls a helper that only runs; not one whose helper's helper asserts."""
    source = """
def idle(): work()
def checked(): judge()
def judge(): assert work()
def test_runs(): work()
def test_calls(): idle()
def test_claims(): checked()
"""
    assert list(assertless([source])) == ["test_runs", "test_calls"]
