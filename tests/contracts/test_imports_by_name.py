"""No import that the contracts cannot see: a module asked for by a name in a string goes past every one of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
KNOWN = {
    "agent/cli/__init__.py": "a command's module is loaded when it is called: all lie in its own room",
    "agent/cli/bench.py": "the measurements stand in a package of their own, which an installed node lacks",
}
"""Who imports by a name in a string, and why."""
_BY_NAME = {"import_module", "__import__", "run_module", "run_path", "spec_from_file_location", "exec", "eval"}
_BY_TABLE = "modules"  # of sys: whatever was imported by anybody


def imports_by_name(source: str) -> Iterator[int]:
    """Lines that get at a module in another way than by an import statement."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="sys"), attr=attr) if attr == _BY_TABLE:
                yield node.lineno
            case ast.Attribute(value=ast.Name(id="importlib" | "builtins" | "runpy"), attr=name) if name in _BY_NAME:
                yield node.lineno
            case ast.Name(id=name) if name in _BY_NAME:
                yield node.lineno
            case ast.ImportFrom(module="importlib" | "builtins" | "runpy" | "sys", names=names):
                if any(each.name in {*_BY_NAME, _BY_TABLE} for each in names):
                    yield node.lineno


def test_nobody_else_imports_by_name() -> None:
    """Commands alone, which lie above every other room."""
    paths = [path for package in ("agent", "hardware") for path in (REPOSITORY / package).rglob("*.py")]
    found = {str(path.relative_to(REPOSITORY)) for path in paths if any(imports_by_name(path.read_text(encoding="utf-8")))}
    assert found == set(KNOWN)


@pytest.mark.parametrize(
    "source",
    [
        'import importlib\nRAW = importlib.import_module("agent.picture.frame").RawFrame',
        'from importlib import import_module as bring\nRAW = bring("agent.picture.frame")',
        'RAW = __import__("agent.picture.frame")',
        'import sys\nRAW = sys.modules["agent.picture.frame"]',
        'exec("from agent.picture.frame import RawFrame")',
    ],
)
def test_each_way_round_is_found(source: str) -> None:
    """None of them is seen by import-linter."""
    assert list(imports_by_name(source))


def test_resources_and_versions_are_no_imports() -> None:
    """Reading a file of a package brings no module."""
    assert not list(imports_by_name("from importlib.resources import files\nfrom importlib.metadata import version\n"))
