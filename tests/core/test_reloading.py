"""What a reload hands out and enters when the register refuses, then the next one when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from agent.base.errors import JournalError
from agent.config.load import load
from agent.config.model import Config
from agent.journal.entry import Act, Fact
from agent.node.node import Node
from agent.node.reloading import Maker, Reloading
from agent.view.store import Verifier
from tests.support.journals import Remembered

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


class Sick(Remembered):
    """A register whose disk is full while `full`."""

    full = False

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """See Journal."""
        if self.full:
            raise JournalError("the register cannot be written: no space left on device", remedy="Free space on its disk")
        super().enter(act, by, facts)


class Reloaded:
    """A node of which only those parts exist that a reload gives something to; `masks` and `days` are what they have."""

    def __init__(self, directory: Path, text: str) -> None:
        self.path = directory / "config.toml"
        self.path.write_text(text)
        config = load(self.path)
        self.register = Sick()
        self.masks = [mask.name for mask in config.privacy.mask]
        self.days = config.recording.retention_days
        parts = SimpleNamespace(
            register=self.register,
            catalog=None,
            masking=SimpleNamespace(replace=self._mask),
            sweeper=SimpleNamespace(replace=self._keep),
        )
        self.node = SimpleNamespace(config=config, begun_with=config, waiting=(), digest="", parts=parts)
        maker = SimpleNamespace(
            privacy=lambda config, verifier: (None, config), retention=lambda config, *_: config.recording.retention_days
        )
        self._reloading = Reloading(self.path, cast("Node", self.node), cast("Maker", maker), cast("Verifier", None))

    def _mask(self, _guard: object, config: Config) -> None:
        self.masks = [mask.name for mask in config.privacy.mask]

    def _keep(self, days: float) -> None:
        self.days = days

    def reload(self, text: str, *, full: bool = False) -> list[tuple[Act, Any]]:
        """SIGHUP with this file; what was entered."""
        self.register.full = full
        before = len(self.register.entries)
        self.path.write_text(text)
        self._reloading.apply()
        return [(act, facts.get("keys")) for act, _, facts in self.register.entries[before:]]


def test_a_change_the_register_refused_is_entered_by_the_next_reload(tmp_path: Path) -> None:
    """The same file again: the entry is made, once."""
    node = Reloaded(tmp_path, TEXT)
    changed = TEXT.replace("10", "12")
    assert node.reload(changed, full=True) == []
    assert node.reload(changed) == [(Act.CONFIGURATION_CHANGED, "recording.retention_days")]
    assert node.reload(changed) == []
    assert node.days == 12


def test_masks_taken_back_after_a_refused_entry_are_taken_back(tmp_path: Path) -> None:
    """What the file says is in force, whichever way it came to say so; the register hears of it."""
    node = Reloaded(tmp_path, TEXT + MASK)
    assert node.reload(TEXT.replace("10", "12") + MASK + SECOND, full=True) == []
    assert node.masks == ["flat", "yard"]  # more masks never wait for the register
    entered = node.reload(TEXT + MASK)
    assert (node.masks, node.days) == (["flat"], 10)
    assert [act for act, _ in entered] == [Act.MASKS_CHANGED, Act.CONFIGURATION_CHANGED]


def test_a_statement_opens_nothing_before_its_entry(tmp_path: Path) -> None:
    """Refused, the masks stay, also when it is taken back; entered, it holds."""
    node = Reloaded(tmp_path, TEXT + MASK)
    node.reload(TEXT + STATEMENT, full=True)
    assert node.masks == ["flat"]
    node.reload(TEXT + MASK)
    assert node.masks == ["flat"]
    entered = node.reload(TEXT + STATEMENT)
    assert node.masks == []
    assert [act for act, _ in entered] == [Act.MASKS_CHANGED, Act.CONFIGURATION_CHANGED]
