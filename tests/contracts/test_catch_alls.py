"""Whoever catches everything hides bugs: only a component's outermost loop may, and whoever closes the picture in doubt."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
_EVERYTHING = ("Exception", "BaseException")
KNOWN = {
    "agent/sensors/reading.py: turn": "a bug in one driver costs its own reading, which says so: tilt and theft are watched on",
    "agent/base/component.py: _run": "the outermost loop of every component: it fails, is logged with its traceback and told",
    "agent/cli/__init__.py: _run": "the end of a command: one sentence, and the exit code",
    "agent/node/daemon.py: main": "the end of the daemon: one sentence, and the exit code",
    "agent/node/supervisor.py: _stop_all": "the last loop there is: whoever stops later still has a film to close",
    "agent/node/supervisor.py: _told": "a line for the status of the service ends no recording; it is logged and told",
    "agent/operations/control_socket.py: _answer": "the outermost loop of a connection: one line for each side",
    "agent/view/guard.py: observe": "in doubt the picture is covered: a bug in the guard shows nothing",
    "agent/view/guard.py: _recheck": "a reference that cannot be used covers the picture, whatever is wrong with it",
    "agent/mask/privacy_mask.py: _keep": "without a copy the next doubt closes the picture",
    "agent/mask/privacy_mask.py: _held": "what cannot be held is closed",
    "agent/mask/privacy_mask.py: _covered": "what cannot be masked is closed",
    "agent/mask/privacy_mask.py: _closed": "a closed picture without words is still closed",
    "hardware/driver_call.py: work": "the outermost of its thread: whatever picamera2 raises is the camera's failure",
    "hardware/live_stream.py: _run": "the outermost of its thread; FFmpeg's words may quote the address, so they are not logged",
    "hardware/mqtt_loop.py: _open_all": "the outermost of its thread: one bad connection does not end the others",
    "systemd/release.py: complaints": "a strange release must not end the trial of it",
    "systemd/release.py: judge": "what is no answer is no good answer",
    "systemd/release.py: trial": "a trial that cannot be held is not passed",
}
"""Who catches everything without raising again, and why."""


def swallowing(source: str) -> Iterator[str]:
    """Functions that catch everything and do not end in a raise: what is undone and raised again hides nothing."""
    yield from _within(ast.parse(source), "")


def _within(node: ast.AST, function: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(child, ast.ExceptHandler) and _catches_all(child.type) and not isinstance(child.body[-1], ast.Raise):
            yield inside
        if _suppresses_all(child):
            yield inside
        yield from _within(child, inside)


def _catches_all(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(each is None or (isinstance(each, ast.Name) and each.id in _EVERYTHING) for each in kinds)


def _suppresses_all(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=args):
            return any(_catches_all(each) for each in args)
    return False


def test_everything_is_caught_where_it_must_be_alone() -> None:
    """In all that ships."""
    files = [path for room in ("agent", "hardware", "systemd") for path in (REPOSITORY / room).rglob("*.py")]
    found = {f"{path.relative_to(REPOSITORY)}: {name}" for path in files for name in swallowing(path.read_text())}
    assert found == set(KNOWN)


@pytest.mark.parametrize("line", ["except:", "except Exception:", "except (OSError, BaseException) as error:"])
def test_a_catch_all_is_found(line: str) -> None:
    """However it is written; one that undoes and raises is none."""
    assert list(swallowing(f"def work():\n    try:\n        pass\n    {line}\n        pass\n")) == ["work"]
    assert list(swallowing(f"def work():\n    try:\n        pass\n    {line}\n        undo()\n        raise\n")) == []


def test_a_suppression_of_everything_is_found() -> None:
    """It reads like a small matter, and is none."""
    assert list(swallowing("def work():\n    with contextlib.suppress(Exception):\n        pass\n")) == ["work"]
    assert list(swallowing("def work():\n    with contextlib.suppress(OSError):\n        pass\n")) == []
