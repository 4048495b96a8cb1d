"""Every camera driver of the configuration can be opened, is explained, and is listed."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

from agent.config.driver_kinds import Driver

ROOT = Path(__file__).parents[2]
DRIVERS = set(get_args(Driver))


def test_every_driver_has_its_case_and_no_other() -> None:
    """A name without a driver would pass every check of the file and fail on the pole."""
    tree = ast.parse((ROOT / "agent" / "node" / "drivers.py").read_text(encoding="utf-8"))
    (function,) = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "open_camera"]
    values = [
        case.pattern.value
        for node in ast.walk(function)
        if isinstance(node, ast.Match)
        for case in node.cases
        if isinstance(case.pattern, ast.MatchValue)
    ]
    assert {value.value for value in values if isinstance(value, ast.Constant)} == DRIVERS


def test_every_driver_is_explained() -> None:
    """In the table of docs/cameras.md, with its file, which is there."""
    rows = [line.split("|") for line in (ROOT / "docs" / "cameras.md").read_text(encoding="utf-8").splitlines()]
    told = {row[1].strip(" `"): row[3].strip(" `") for row in rows if len(row) > 4 and row[3].strip(" `").startswith("hardware/")}
    assert set(told) == DRIVERS
    assert all((ROOT / file).is_file() for file in told.values())
