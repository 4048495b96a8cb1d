"""What must be right once is written once: each of these stands in one file of the product, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

ONCE = {
    "a directory is synced": (
        r"O_DIRECTORY|os\.open\([^)]*, os\.O_RDONLY\)\n(?:.*\n){0,2}.*os\.fsync",
        {"agent/base/durable_file.py"},
    ),
    "a file takes another's place": (r"os\.(?:replace|rename)\(|draft\.replace\(", set()),
    "the kernel is asked for its clock": (r"\.adjtimex\b", {"agent/base/kernel_clock.py"}),
    "a keyframe is asked for": (r"keyframe_wanted = threading|def due\(", {"hardware/encoding.py"}),
    "a topic below a node": (
        r"""f["'][^"'\n]*\{[^}\n]*(?:root|prefix)[^}\n]*\}/[^"'\n]*(?:status|health|register|onvif-ej|still|command|answer)""",
        set(),
    ),
    "a branch of topics": (r"""["']/?(?:onvif-ej|answer|command)/""", set()),
    "French made of English": (r"re\.(?:sub|fullmatch)\([^)]*english", set()),
}
"""What it is, how its text looks, and the only files that may hold it."""


def holders(pattern: str) -> set[str]:
    """The files of the product whose text holds it."""
    files = [path for package in ("agent", "hardware") for path in (REPOSITORY / package).rglob("*.py")]
    return {str(path.relative_to(REPOSITORY)) for path in files if re.search(pattern, path.read_text())}


@pytest.mark.parametrize("what", ONCE)
def test_it_is_written_once(what: str) -> None:
    """A second specimen has a room already: import it."""
    pattern, home = ONCE[what]
    assert holders(pattern) == home
