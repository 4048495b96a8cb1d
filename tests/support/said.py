"""What the code says to people, read from its source: texts as far as they are written down, `…` where something is put in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PLACE = "…"


class Source:
    """One module, and how an expression in it comes to a text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self._given: dict[str, list[ast.expr]] = {}
        self._returned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(self.tree):
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
                    for name, value in zip(names, values, strict=False):
                        self._give(name, value)
                case ast.Assign(targets=[name], value=value) | ast.AnnAssign(target=name, value=ast.expr() as value):
                    self._give(name, value)
                case ast.FunctionDef(name=name):
                    self._returned[name] = [r.value for r in ast.walk(node) if isinstance(r, ast.Return) and r.value is not None]

    def texts(self, node: ast.expr, depth: int = 6) -> set[str]:
        """Every text the expression may be; empty where it comes from elsewhere."""
        if depth == 0:
            return set()
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                found = {""}
                for part in parts:
                    ways = self.texts(part.value, depth - 1) if isinstance(part, ast.FormattedValue) else self.texts(part)
                    found = {a + b for a in found for b in (ways or {PLACE})}
                return found
            case ast.IfExp(body=one, orelse=other):
                return self.texts(one, depth) | self.texts(other, depth)
            case ast.BoolOp(values=values):
                return {text for value in values for text in self.texts(value, depth)}
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return {a + b for a in self.texts(left, depth) or {PLACE} for b in self.texts(right, depth) or {PLACE}}
            case ast.Name(id=name):
                return {text for value in self._given.get(name, ()) for text in self.texts(value, depth - 1)}
            case ast.Call(func=ast.Name(id="say" | "many"), args=[*templates]):
                given = (argument for argument in templates if isinstance(argument, ast.Constant))
                return {PLACE.join(re.split(r"\{[^}]*\}", text)) for each in given for text in self.texts(each)}
            case ast.Call(func=ast.Name(id=name)) if name in self._returned:
                return {text for value in self._returned[name] for text in self.texts(value, depth - 1)}
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)):
                beside = self.path.with_name(f"{module}.py")
                if beside.exists() and beside != self.path:
                    return source(beside).texts(ast.Call(ast.Name(name), [], []), depth - 1)
                return set()
            case _:
                return set()

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Every call of these, by their last name."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names:
                yield node

    def _give(self, name: ast.expr, value: ast.expr) -> None:
        if isinstance(name, ast.Name):
            self._given.setdefault(name.id, []).append(value)


@cache
def source(path: Path) -> Source:
    """A module, read once."""
    return Source(path)


def sources(*folders: str) -> list[Source]:
    """Every module below these."""
    return [source(path) for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))]


def sentences(text: str) -> list[str]:
    """Split at full stops and their like; a command between backticks is one word."""
    whole = re.sub(r"`[^`]*`", "COMMAND", text)
    return [found for found in re.split(r"[.?!](?=\s|$)", whole) if found.strip()]


def words(sentence: str) -> int:
    """How many it has."""
    return len(sentence.split())
