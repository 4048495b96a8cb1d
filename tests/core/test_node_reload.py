"""What a reload hands out and enters when the register refuses, then the next one when it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.base.errors import RegisterError
from agent.config.load import load
from agent.journal.entry import Act, Fact
from agent.journal.feature import RegisterFeature
from agent.node.wiring import build
from agent.recording.feature import RecordingFeature
from agent.stream.privacy_feature import PrivacyFeature

TEXT = """\
[node]
id = "pole-7"
state_dir = "state"
[camera]
driver = "synthetic"
[recording]
retention_days = 10
"""
MASK = '[[privacy.mask]]\nname = "flat"\npolygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]\n'
SECOND = MASK.replace("flat", "yard")
STATEMENT = '[privacy.none_needed]\nby = "A. Martin"\non = 2026-11-23\nwhy = "a car park and a blind wall"\n'


class Reloaded:
    """A node of its real parts, none of which runs; `masks` and `days` are what they go by. Its register refuses while `full`."""

    def __init__(self, directory: Path, text: str) -> None:
        self.path = directory / "config.toml"
        self.path.write_text(text)
        self.node = build(load(self.path), self.path)
        self.entries: list[tuple[Act, Mapping[str, Fact]]] = []
        self._full = False
        self.node.house.find(RegisterFeature).register.enter = self._enter  # type: ignore[method-assign]

    def _enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        if self._full:
            raise RegisterError("the register cannot be written: no space left on device", remedy="Free space on its disk")
        self.entries.append((act, facts))

    @property
    def masks(self) -> int:
        """How many are laid."""
        masks: int = self.node.house.find(PrivacyFeature).health()["privacy"].masks
        return masks

    @property
    def days(self) -> float:
        """Of retention."""
        return self.node.house.find(RecordingFeature)._sweeper._retention._wanted_days

    def reload(self, text: str, *, full: bool = False) -> list[tuple[Act, Any]]:
        """SIGHUP with this file; what was entered."""
        self._full = full
        before = len(self.entries)
        self.path.write_text(text)
        self.node._reload.apply()
        return [(act, facts.get("keys")) for act, facts in self.entries[before:]]

    def close(self) -> None:
        """Give everything back."""
        self.node.lock.give_back()
        self.node.house.find(RecordingFeature).catalog.close()


@pytest.fixture
def reloaded(tmp_path: Path) -> Iterator[Callable[[str], Reloaded]]:
    """Makes a node of a configuration."""
    made: list[Reloaded] = []

    def make(text: str) -> Reloaded:
        made.append(Reloaded(tmp_path, text))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_change_the_register_refused_is_entered_by_the_next_reload(reloaded: Callable[[str], Reloaded]) -> None:
    """The same file again: the entry is made, once."""
    node = reloaded(TEXT)
    changed = TEXT.replace("10", "12")
    assert node.reload(changed, full=True) == []
    assert node.reload(changed) == [(Act.CONFIGURATION_CHANGED, "recording.retention_days")]
    assert node.reload(changed) == []
    assert node.days == 12


def test_masks_taken_back_after_a_refused_entry_are_taken_back(reloaded: Callable[[str], Reloaded]) -> None:
    """What the file says is in force, whichever way it came to say so; the register hears of it."""
    node = reloaded(TEXT + MASK)
    assert node.reload(TEXT.replace("10", "12") + MASK + SECOND, full=True) == []
    assert node.masks == 2  # more masks never wait for the register
    entered = node.reload(TEXT + MASK)
    assert (node.masks, node.days) == (1, 10)
    assert [act for act, _ in entered] == [Act.MASKS_CHANGED, Act.CONFIGURATION_CHANGED]


def test_a_statement_opens_nothing_before_its_entry(reloaded: Callable[[str], Reloaded]) -> None:
    """Refused, the masks stay, also when it is taken back; entered, it holds."""
    node = reloaded(TEXT + MASK)
    node.reload(TEXT + STATEMENT, full=True)
    assert node.masks == 1
    node.reload(TEXT + MASK)
    assert node.masks == 1
    entered = node.reload(TEXT + STATEMENT)
    assert node.masks == 0
    assert [act for act, _ in entered] == [Act.MASKS_CHANGED, Act.CONFIGURATION_CHANGED]
