"""The documents hold together: what they link to is there, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.cli import vigie

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("**/*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
NAMED_FILE = re.compile(r"`((?:agent|hardware|systemd|tests|bench|docs|tools)/[\w./-]+\.(?:py|md|sh|toml|service|timer|yaml))`")
COMMAND = re.compile(r"`vigie ([a-z][a-z-]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_are_there(page: Path) -> None:
    """Nobody follows a link of ours into nothing."""
    text = page.read_text(encoding="utf-8")
    missing = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    missing += [name for name in NAMED_FILE.findall(text) if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_commands_exist(page: Path) -> None:
    """No page tells of a command that is not there."""
    known = set(vigie.list_commands(None))  # type: ignore[arg-type]
    assert set(COMMAND.findall(page.read_text(encoding="utf-8"))) - known == set()


def test_the_readme_installs_as_the_tested_guide_does() -> None:
    """The README's commands are the guide's, which a lane runs as they stand."""
    typed = re.compile(r"^    \$ (.+)$", re.MULTILINE)
    guide = typed.findall((ROOT / "docs" / "install.md").read_text(encoding="utf-8"))
    readme = typed.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(readme) > 5
    assert [command for command in readme if command not in guide] == []
