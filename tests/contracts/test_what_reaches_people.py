"""What an error says reaches a person: its words are a phrase, so that a French reader has them in French."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {
    path: ast.parse(path.read_text(encoding="utf-8")) for room in ("agent", "hardware") for path in (ROOT / room).rglob("*.py")
}
ENGLISH = ("agent/fleet/", "agent/onvif/", "agent/uplink/asyncapi.py")
"""Spoken to programs and their makers: answers in SOAP, a simulation, a file made from the code. Decision 13 names them."""
WORD = re.compile(r"[A-Za-z]{2,} | [A-Za-z]{2,}")
WORDS = ("what", "remedy", "why", "reason")


def name_of(node: ast.expr) -> str:
    """The last part of a name: `errors.CameraError` is CameraError."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def errors() -> set[str]:
    """VigieError and every class below it, and what carries words as an error does."""
    found = {"VigieError"}
    while True:
        more = {
            node.name
            for tree in MODULES.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and any(name_of(base) in found for base in node.bases)
        }
        if more <= found:
            return found | {"PemMisfit", "Misfit", "Finding"}
        found |= more


ERRORS = errors()


def given(function: ast.AST) -> dict[str, list[ast.expr]]:
    """What each name of a function is given."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    return found


def bare(node: ast.expr, names: dict[str, list[ast.expr]]) -> bool:
    """A text that no catalogue has: a literal with words in it, an f-string, or a list of texts glued together."""
    match node:
        case ast.Name(id=name):
            return any(bare(value, {}) for value in names.get(name, ()))
        case ast.Constant(value=str(text)):
            return " " in text.strip()
        case ast.JoinedStr(values=parts):
            return any(isinstance(part, ast.Constant) and any(c.isalpha() for c in str(part.value)) for part in parts)
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            return bare(one, names) or bare(other, names)
        case ast.BoolOp(values=values):
            return any(bare(value, names) for value in values)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="join" | "format")):
            return True
        case _:
            return False


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call in it, by the name that is called."""
    yield from ((name_of(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def place(path: Path) -> str:
    """As it is written in a report."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sorted(MODULES), ids=place)
def test_what_an_error_says_is_a_phrase(path: Path) -> None:
    """`raise CameraError(f"…")` reads English on a French sheet, and nobody hears of it."""
    if place(path).startswith(ENGLISH):
        return
    functions: list[ast.AST] = [node for node in ast.walk(MODULES[path]) if isinstance(node, ast.FunctionDef)] or [MODULES[path]]
    hidden = [
        (node.lineno, ast.unparse(each))
        for function in functions
        for called, node in calls(function)
        if called in ERRORS or called == "kind" or called.endswith("Health")
        for each in (*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg in WORDS))
        if bare(each, given(function))
    ]
    assert hidden == []


@pytest.mark.parametrize("path", sorted(MODULES), ids=place)
def test_what_stands_in_a_sentence_is_no_english_of_its_own(path: Path) -> None:
    """`say("no footage {span}", span=f"between {a} and {b}")` reads half French."""
    functions = [node for node in ast.walk(MODULES[path]) if isinstance(node, ast.FunctionDef)]
    hidden = [
        (node.lineno, ast.unparse(each))
        for function in functions
        for called, node in calls(function)
        if called in ("say", "many") and not place(path).startswith(ENGLISH)
        for keyword in node.keywords
        for each in (given(function).get(keyword.value.id, []) if isinstance(keyword.value, ast.Name) else [keyword.value])
        if isinstance(each, ast.JoinedStr) and any(WORD.search(str(p.value)) for p in each.values if isinstance(p, ast.Constant))
    ]
    assert hidden == []


@pytest.mark.parametrize("path", sorted(MODULES), ids=place)
def test_an_error_is_handed_on_as_it_was_said(path: Path) -> None:
    """`what` and `remedy` of an error are plain English; `said` and `words` keep the phrase, and these go into another one."""
    caught = {node.name for node in ast.walk(MODULES[path]) if isinstance(node, ast.ExceptHandler) and node.name}
    flat = [
        (node.lineno, ast.unparse(each))
        for called, node in calls(MODULES[path])
        if called in {*ERRORS, "say", "many", "tell", "Remark"} and not place(path).startswith(ENGLISH)
        for each in (*node.args, *(keyword.value for keyword in node.keywords))
        if isinstance(each, ast.Attribute) and each.attr in ("what", "remedy") and name_of(each.value) in caught
    ]
    assert flat == []
