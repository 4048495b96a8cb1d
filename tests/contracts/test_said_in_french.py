"""What is put into a sentence is a sentence of the catalogue itself, and the system's own words go through `system_words`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for room in ("agent", "hardware") for path in (ROOT / room).rglob("*.py"))
PLACES = ("why", "remedy", "what", "words", "reason", "because")
"""Names under which one sentence is put into another, or told."""
HELPERS = ("_refused", "_damaged")
NOT_FOR_A_READER = ("fleet/simulation.py", "uplink/asyncapi.py", "base/system_words.py")
"""The hub that is simulated and the document for programs are English."""


def calls(tree: ast.AST, inside: str = "") -> Iterator[tuple[ast.Call, str]]:
    """Every call, with the name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            yield node, called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def plain(value: ast.expr) -> bool:
    """Whether this is a text with words in it that no catalogue knows."""
    match value:
        case ast.IfExp():
            return plain(value.body) or plain(value.orelse)
        case ast.Constant(value=str(text)):
            return " " in text
        case ast.JoinedStr():
            texts = (part.value for part in value.values if isinstance(part, ast.Constant))
            return any(sum(letter.isalpha() for letter in str(text)) > 3 for text in texts)
    return False


def untold(source: str) -> list[int]:
    """The lines where a plain text is given for a place in a sentence, or the system's words are taken as they come."""
    tree = ast.parse(source)
    lines = []
    translated: set[int] = set()
    for call, name in calls(tree):
        if name in ("system_words", "debug", "info", "warning", "error"):
            translated |= {id(inner) for inner in ast.walk(call)}
        given = [*(call.args if name in HELPERS else ()), *(key.value for key in call.keywords if key.arg in PLACES)]
        lines += [value.lineno for value in given if plain(value)]
    lines += [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "strerror"
        and ast.unparse(node) != "os.strerror"
        and id(node) not in translated
    ]
    return sorted(lines)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_stands_in_a_sentence_can_be_translated(module: Path) -> None:
    """A French sentence with an English half, or with `permission denied` in it, is told of here."""
    if str(module).endswith(NOT_FOR_A_READER):
        return
    assert untold(module.read_text()) == []


@pytest.mark.parametrize(
    "source",
    [
        "say('{why}', why='it is a disk')",
        "say('{why}', why=f'it is a link to {x}')",
        "_refused(path, 'it is a disk' if a else 'b')",
        "say('{why}', why=error.strerror)",
        "why = (error.strerror or str(error)).lower()",
    ],
)
def test_what_cannot_is_found(source: str) -> None:
    """Each way that was taken once."""
    assert untold(source) == [1]
