"""What docstrings, comments and documents name is there: a word in backticks that has gone, or moved, is found."""

from __future__ import annotations

import ast
import importlib
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(path for package in ("agent", "hardware", "bench") for path in (ROOT / package).rglob("*.py"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
OTHER_SOURCES = (
    "config.example.toml", "Makefile", "setup.py", "pyproject.toml", "docs/asyncapi.yaml",
    "systemd/**/*", "tools/*.sh", "docs/hub/*.conf", "docs/hub/*.sh", "tests/**/*.py",
)  # fmt: skip
QUOTED = re.compile(r"`([^`\n]+)`")
DOTTED = re.compile(r"(?:agent|hardware|bench|tests)(?:\.\w+)+")
NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\(\))?")
FOREIGN = {"nal_unit_type", "first_mb_in_slice", "recovery_frame_cnt", "start_encoder", "ru_maxrss", "_arm64"}
"""Of the H.264 standard, picamera2, getrusage and Debian's file names."""


def is_a_name_of_ours(word: str) -> bool:
    """Words that only code has: with an underscore, called, or in capitals amid; a plain word may mean anything."""
    return NAME.fullmatch(word) is not None and ("_" in word or word.endswith("()") or re.search("[a-z][A-Z]", word) is not None)


def docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every text that stands as a statement: docstrings, and those behind a field."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


@cache
def said_in(path: Path) -> str:
    """Docstrings and comments of a module; a page as it is."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return text
    comments = [token.string for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT]
    return "\n".join([*(str(each.value) for each in docstrings(ast.parse(text))), *comments])


@cache
def words_of_the_code() -> frozenset[str]:
    """Every word of the product's code, what is said about it left out, and every word of what lies beside it."""
    words = set(FOREIGN)
    for path in PRODUCT:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for each in docstrings(tree):
            each.value = ""
        words |= set(re.findall(r"\w+", ast.unparse(tree))) | {path.stem, path.parent.name}
    for pattern in OTHER_SOURCES:
        for path in ROOT.glob(pattern):
            if path.is_file():
                words |= set(re.findall(r"\w+", path.read_text(encoding="utf-8", errors="replace"))) | {path.stem}
    return frozenset(words)


@pytest.mark.parametrize("path", [*PRODUCT, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_named_is_there(path: Path) -> None:
    """No text speaks of a function, class, field or setting that the code no longer has."""
    quoted = [word for word in QUOTED.findall(said_in(path)) if is_a_name_of_ours(word)]
    gone = [word for word in quoted if not set(re.findall(r"\w+", word)) <= words_of_the_code()]
    assert gone == []


@pytest.mark.parametrize("path", [*PRODUCT, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_named_with_its_room_lies_there(path: Path) -> None:
    """`agent.room.module.Name` can be followed, to the end."""
    lost = [word for word in QUOTED.findall(said_in(path)) if DOTTED.fullmatch(word) and not resolves(word)]
    assert lost == []


def resolves(dotted: str) -> bool:
    """Whether a module of that name, or an attribute of one, is there."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return part in getattr(found, "__annotations__", {})
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize(
    ("word", "is_checked"),
    [("give_back", True), ("open()", True), ("RawFrame", True), ("cancel", False), ("fps", False), ("a b", False)],
)
def test_plain_words_are_left_alone(word: str, is_checked: bool) -> None:
    """What may be a word of the language is no name."""
    assert is_a_name_of_ours(word) is is_checked
