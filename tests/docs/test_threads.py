"""docs/frame-path.md knows every thread of a node."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPONENT = re.compile(r'super\(\).__init__\("([a-z][a-z -]*)"')
THREAD = re.compile(r'threading\.Thread\([^\n]*\bname=f?"([a-z][a-z -]*?)(?: \{what\})?"')
NOT_OF_A_NODE = {"centre"}
"""The demonstration's view of the supervision centre."""


def names_in_code() -> set[str]:
    """What the threads of components and their helpers are called, as `top -H` shows them."""
    files = [*(ROOT / "agent").rglob("*.py"), *(ROOT / "hardware").rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return {name for text in texts for pattern in (COMPONENT, THREAD) for name in pattern.findall(text)} - NOT_OF_A_NODE


def test_every_thread_is_told_of_and_none_that_has_gone() -> None:
    """The table names the components, the sentence below it their helpers."""
    section = (ROOT / "docs" / "frame-path.md").read_text(encoding="utf-8").split("\n## Threads\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([a-z, ]+) \|", section, re.MULTILINE)[1:]
    told = {name for row in rows for name in row.split(", ")} | set(
        re.findall(r"`([a-z][a-z -]*)`", section.rpartition("|\n")[2])
    )
    code = names_in_code()
    assert len(code) > 12
    assert {name for name in code if not any(each.startswith(name) for each in told)} == set()
    assert {name for name in told if not any(name.startswith(each) for each in code)} == set()
