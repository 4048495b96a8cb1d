"""Nothing goes round: no two files, and no two rooms, import each other, however long the way between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp
import pytest

REPOSITORY = Path(__file__).parents[2]
TYPES_ALONE = {
    ("agent.mask.held_frame", "agent.mask.privacy_mask"): "the copy takes a MaskedFrame, which the mask alone makes",
    ("hardware.mqtt_loop", "hardware.mqtt_paho"): "the loop names the transports it turns",
}
"""Circles that only the type checker walks. Whoever adds one has thought about a port instead."""


def circles(imports: Mapping[str, Iterable[str]]) -> set[tuple[str, ...]]:
    """Every set of names of which each leads to each other, in order."""
    reached = {name: _reached(name, imports) for name in imports}
    return {
        tuple(sorted({name, *(to for to in reached[name] if name in reached[to])})) for name in imports if name in reached[name]
    }


def _reached(start: str, imports: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(imports.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(imports.get(name, ()))
    return found


def files(place: Path, monkeypatch: pytest.MonkeyPatch, *, types: bool) -> dict[str, set[str]]:
    """What each file imports; with `types`, for the type checker as well."""
    monkeypatch.syspath_prepend(str(place))
    graph = grimp.build_graph("agent", "hardware", exclude_type_checking_imports=not types, cache_dir=None)
    return {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}


def rooms(imports: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """The same, of folders: `agent.view`, `hardware`."""
    found: dict[str, set[str]] = {}
    for name, targets in imports.items():
        found.setdefault(_room(name), set()).update(_room(to) for to in targets if _room(to) != _room(name))
    return found


def _room(name: str) -> str:
    return ".".join(name.split(".")[:2]) if name.startswith("agent.") else name.partition(".")[0]


def test_no_two_files_import_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the program runs; for the type checker, two pairs do, each within its room."""
    assert circles(files(REPOSITORY, monkeypatch, types=False)) == set()
    assert circles(files(REPOSITORY, monkeypatch, types=True)) == set(TYPES_ALONE)


def test_no_two_rooms_import_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for the type checker."""
    assert circles(rooms(files(REPOSITORY, monkeypatch, types=True))) == set()


def test_a_circle_over_three_is_found() -> None:
    """And its neighbours are not blamed."""
    found = circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"a"}})
    assert found == {("a", "b", "c")}
    assert circles({"a": {"a"}}) == {("a",)}
