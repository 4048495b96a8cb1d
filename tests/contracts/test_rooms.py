"""Every room is a package: setuptools leaves out a folder without `__init__.py`, and the installed agent would miss it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_room_is_shipped() -> None:
    """Each folder of agent/ and hardware/ that holds modules has its `__init__.py`, with a line that says what belongs in it."""
    folders = {path.parent for package in ("agent", "hardware") for path in (ROOT / package).rglob("*.py")}
    assert sorted(str(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []
    assert sorted(str(folder) for folder in folders if not (folder / "__init__.py").read_text().startswith('"""')) == []
