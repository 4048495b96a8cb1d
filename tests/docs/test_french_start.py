"""docs/fr/demarrage.md: its commands are those of the install guide, and its answers are what Vigie says in French."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.base.french import catalogue
from tests.support.footage import REPOSITORY

PAGE = (REPOSITORY / "docs" / "fr" / "demarrage.md").read_text(encoding="utf-8")
GUIDE = (REPOSITORY / "docs" / "install.md").read_text(encoding="utf-8")
LEAST_LETTERS = 3
"""Of a sentence's own: fewer fit anything."""
INSTALLED = Path("/etc/vigie/config.toml")


def commands(text: str) -> list[str]:
    """Everything that is typed."""
    return re.findall(r"^    \$ (.*)$", text, re.MULTILINE)


def answers(command: str) -> list[str]:
    """The lines that the page shows below a command, with plain spaces."""
    (found,) = re.findall(rf"^    \$ {re.escape(command)}\n((?:    (?!\$).*\n)*)", PAGE, re.MULTILINE)
    return [line.removeprefix("    ") for line in str(found).splitlines()]


def said(*arguments: str) -> str:
    """What a command says in French."""
    environment = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LC_MESSAGES", "COLUMNS")}
    done = subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        env=environment | {"LANG": "fr_FR.UTF-8", "PYTHONUTF8": "1"},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return (done.stdout + done.stderr).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, edited as the page says; its state in a directory of the test."""
    path = tmp_path_factory.mktemp("node") / "config.toml"
    path.write_text((REPOSITORY / "config.example.toml").read_text(encoding="utf-8"), encoding="utf-8")
    for command in commands(PAGE):
        if "sed -i" in command:
            here = command.removeprefix("sudo ").replace(str(INSTALLED), str(path))
            subprocess.run(["sh", "-euc", here], check=True, timeout=60)
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^state_dir = .*", f'state_dir = "{path.parent}/state"', text), encoding="utf-8")
    return path


def test_what_is_typed_is_what_the_install_guide_types() -> None:
    """Those a lane runs on a booted Debian; the drawing of the masks is the one more."""
    assert set(commands(PAGE)) - set(commands(GUIDE)) == {"sudo vigie masks show --out - > masques.png"}


def test_check_answers_as_the_page_shows(config: Path) -> None:
    """Each line of it, on the configuration that the page makes."""
    told = said("check", "--config", str(config)).replace(str(config), str(INSTALLED))
    told = told.replace(str(config.parent / "state"), "/var/lib/vigie")
    assert [line for line in answers("sudo vigie check") if line not in told.splitlines()] == []


def test_the_other_answers_are_sentences_of_the_catalogue() -> None:
    """Of the doctor, of the validation and of status."""
    french = [form.replace("\u00a0", " ") for forms in catalogue().sentences.values() for form in forms]
    telling = [form for form in french if len(re.sub(r"\{[^}]*\}|\W", "", form)) >= LEAST_LETTERS]
    patterns = [re.compile(".+".join(map(re.escape, re.split(r"\{[^}]*\}", form)))) for form in telling]
    shown = [
        line
        for command in ('sudo vigie masks validate --by "A. Martin"', "sudo vigie status", "sudo vigie doctor || true")
        for line in answers(command)
    ]
    assert len(shown) == 6
    for line in shown:
        words = re.split(r"\s{2,}|-> ", line.strip())[-1]
        assert any(pattern.fullmatch(words) for pattern in patterns), words
