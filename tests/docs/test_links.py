"""The documents hold together: what they link to is there, and what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent.cli import vigie

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]*))?\)")
NAMED_FILE = re.compile(r"`((?:agent|hardware|systemd|tests|bench|docs|tools)/[\w./-]+\.(?:py|md|sh|toml|service|timer|yaml))`")
BESIDE = re.compile(r"`((?:agent|hardware|bench|tests)/[\w/]+)/\w+\.py`((?:,? (?:and )?`\w+\.py`)+)")
SHOWN = re.compile(r"^```markdown\n.*?^```$", re.MULTILINE | re.DOTALL)  # a page that is shown, not one that is told
COMMAND = re.compile(r"`vigie ([a-z][a-z-]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_named_files_are_there(page: Path) -> None:
    """Nobody follows a link of ours into nothing."""
    text = SHOWN.sub("", page.read_text(encoding="utf-8"))
    missing = [target for target, _ in LINK.findall(text) if target and not (page.parent / target).exists()]
    missing += [name for name in NAMED_FILE.findall(text) if not (ROOT / name).exists()]
    for room, others in BESIDE.findall(text):  # `agent/room/a.py`, `b.py`: both lie in that room
        missing += [name for name in re.findall(r"\w+\.py", others) if not (ROOT / room / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_a_page_find_their_heading(page: Path) -> None:
    """`page.md#heading` leads to a heading, by the name that forges give it."""
    lost = []
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        there = page.parent / target if target else page
        if anchor and there.suffix == ".md" and there.exists() and anchor not in anchors(there):
            lost.append(f"{target}#{anchor}")
    assert lost == []


def anchors(page: Path) -> set[str]:
    """The names of its headings: small letters, dashes for spaces, nothing else but letters and digits."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_decision_is_whole_and_listed() -> None:
    """Each page has context, choice and consequences, and stands in the list under its number."""
    listed = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert len(DECISIONS) >= 10
    for number, page in enumerate(DECISIONS, 1):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Choice", "Consequences"], page.name
        title = re.match(rf"# {number}\. (.+)", text)
        assert title is not None, page.name
        assert f"| [{number}]({page.name}) | {title[1]} |" in listed


def test_the_changelog_knows_the_version_that_is_built() -> None:
    """Versions stand newest first, each once with its day; the one in agent/VERSION leads."""
    heads = re.findall(
        r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert heads[0] == ("Unreleased", "")
    versions = [version for version, _ in heads[1:]]
    assert versions[0] == (ROOT / "agent" / "VERSION").read_text(encoding="ascii").strip()
    assert all(day for _, day in heads[1:])
    assert len(set(versions)) == len(versions)


def test_the_licence_is_the_one_that_is_named() -> None:
    """Whoever gets the source gets the text of the licence that the package declares."""
    declared = re.search(r'license="([^"]+)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert declared is not None
    assert declared[1] == "EUPL-1.2"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")


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
