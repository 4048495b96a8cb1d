"""What the register hears of a configuration that was edited while the daemon was away."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.base.errors import RegisterError
from agent.config.load import load
from agent.journal.entry import Act
from agent.node.start_entries import enter_changes
from tests.support.journals import Refusing, Remembered

TEXT = """\
[node]
id = "pole-7"
state_dir = "state"
[camera]
driver = "synthetic"
"""
MASK = '[[privacy.mask]]\nname = "flat"\npolygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]\n'
STATEMENT = '[privacy.none_needed]\nby = "A. Martin"\non = 2026-11-23\nwhy = "a car park and a blind wall"\n'


@pytest.fixture
def register() -> Remembered:
    """Empty."""
    return Remembered()


def start(directory: Path, text: str, register: Remembered | Refusing) -> list[tuple[Act, str]]:
    """Start with this file; what is entered meanwhile, and by whom."""
    path = directory / "config.toml"
    path.write_text(text)
    entries = register.entries if isinstance(register, Remembered) else []
    before = len(entries)
    enter_changes(path, load(path), register)
    return [(act, by) for act, by, _ in entries[before:]]


def test_only_what_changed_since_the_last_start_is_entered(tmp_path: Path, register: Remembered) -> None:
    """The first start, then nothing, then the keys that differ; other masks have an entry of their own."""
    assert start(tmp_path, TEXT + MASK, register) == [(Act.MASKS_CHANGED, "start"), (Act.CONFIGURATION_CHANGED, "start")]
    assert start(tmp_path, TEXT + MASK, register) == []
    assert start(tmp_path, TEXT + "fps = 12.0\n" + MASK, register) == [(Act.CONFIGURATION_CHANGED, "start")]
    assert register.entries[-1][2]["keys"] == "camera.fps"
    assert start(tmp_path, TEXT + "fps = 12.0\n", register) == [
        (Act.MASKS_CHANGED, "start"),
        (Act.CONFIGURATION_CHANGED, "start"),
    ]


def test_a_statement_is_entered_under_the_name_of_its_author(tmp_path: Path, register: Remembered) -> None:
    """Once, with its reason, and again when somebody else makes it."""
    assert (Act.MASKS_CHANGED, "A. Martin") in start(tmp_path, TEXT + STATEMENT, register)
    assert register.entries[0][2]["none needed"] == "a car park and a blind wall"
    assert start(tmp_path, TEXT + STATEMENT, register) == []
    assert (Act.MASKS_CHANGED, "B. Durand") in start(tmp_path, TEXT + STATEMENT.replace("A. Martin", "B. Durand"), register)


def test_a_statement_that_cannot_be_entered_opens_no_picture(tmp_path: Path, register: Remembered) -> None:
    """The start fails, and the next one tries again."""
    start(tmp_path, TEXT + MASK, register)
    for _ in range(2):
        with pytest.raises(RegisterError):
            start(tmp_path, TEXT + STATEMENT, Refusing())
    assert (Act.MASKS_CHANGED, "A. Martin") in start(tmp_path, TEXT + STATEMENT, register)


def test_another_change_that_cannot_be_entered_waits_for_the_next_start(tmp_path: Path, register: Remembered) -> None:
    """The node records all the same, and the entry is made up for."""
    start(tmp_path, TEXT + MASK, register)
    start(tmp_path, TEXT + "fps = 12.0\n" + MASK, Refusing())
    assert start(tmp_path, TEXT + "fps = 12.0\n" + MASK, register) == [(Act.CONFIGURATION_CHANGED, "start")]
