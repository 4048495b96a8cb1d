"""A class name has one meaning: whoever reads it in a log, a traceback or a review knows which room it lives in."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def shared(files: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Public classes of modules that bear the same name, by it, with where they stand."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, text in files:
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(name)
    return {name: places for name, places in found.items() if len(places) > 1}


def test_no_two_public_classes_bear_one_name() -> None:
    """In all of agent/ and hardware/."""
    files = [path for room in ("agent", "hardware") for path in (REPOSITORY / room).rglob("*.py")]
    assert len(files) > 300
    assert shared((str(path.relative_to(REPOSITORY)), path.read_text()) for path in files) == {}


def test_a_second_one_is_found() -> None:
    """With both places."""
    assert shared([("a.py", "class Line: ..."), ("b.py", "class Line: ...\nclass Other: ...")]) == {"Line": ["a.py", "b.py"]}
