"""A file is read in one sitting and a function on one screen: what outgrows that is two things, and is split by its nouns."""

from __future__ import annotations

import ast
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
MODULE_MOST = 300
FUNCTION_MOST = 60


def long_modules(root: Path) -> dict[str, int]:
    """Files of the product above the bound, with their lines."""
    lines = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in product(root)}
    return {name: count for name, count in lines.items() if count > MODULE_MOST}


def long_functions(root: Path) -> dict[str, int]:
    """Functions above the bound, from the line of their `def` to their last, wherever they are nested."""
    found: dict[str, int] = {}
    for path in product(root):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_MOST:
                    found[f"{path.relative_to(root)}: {node.name}"] = lines
    return found


def product(root: Path) -> list[Path]:
    """What ships."""
    return [path for package in ("agent", "hardware") for path in sorted((root / package).rglob("*.py"))]


def test_no_module_is_above_three_hundred_lines() -> None:
    """None is excepted."""
    assert long_modules(REPOSITORY) == {}


def test_no_function_is_above_sixty_lines() -> None:
    """None is excepted."""
    assert long_functions(REPOSITORY) == {}


def test_one_line_more_is_found(tmp_path: Path) -> None:
    """In a method as in a coroutine; what stands at the bound passes."""
    place = tmp_path / "agent" / "room"
    place.mkdir(parents=True)
    (tmp_path / "hardware").mkdir()
    full = "class A:\n    async def full(self):\n" + "        pass\n" * (FUNCTION_MOST - 1)
    over = "    def over(self):\n" + "        pass\n" * FUNCTION_MOST
    (place / "functions.py").write_text(full + over)
    (place / "at_the_bound.py").write_text("A = 1\n" * MODULE_MOST)
    (tmp_path / "hardware" / "above.py").write_text("A = 1\n" * (MODULE_MOST + 1))
    assert long_functions(tmp_path) == {"agent/room/functions.py: over": FUNCTION_MOST + 1}
    assert long_modules(tmp_path) == {"hardware/above.py": MODULE_MOST + 1}
