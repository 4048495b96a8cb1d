"""The last good configuration: whole at every instant, and used when the file is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.base.errors import StorageError
from agent.config.finding import RefusedConfiguration
from agent.config.last_good import NAME, load_last_good, load_or_last_good, remember
from agent.config.load import load

TEXT = '[node]\nid = "a"\nstate_dir = "state"\n[camera]\ndriver = "synthetic"\n[recording]\nretention_days = 3\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good file, remembered."""
    path = tmp_path / "config.toml"
    path.write_text(TEXT)
    remember(path, load(path))
    return path


def test_a_broken_file_is_replaced_by_the_last_good_one(path: Path) -> None:
    """The broken file still names its state_dir: what was kept there rules, and the refusal is told as well."""
    good = load(path)
    path.write_text(TEXT + "rotation = 7\n[camera]\nx = 1\n")
    config, refused = load_or_last_good(path)
    assert config == good
    assert refused is not None
    assert "rotation" in str(refused)


@pytest.mark.parametrize("broken", ["[node", 'id = "a"', "", '[node]\nid = "a"\nstate_dir = 5\n', "gone"])
def test_without_a_state_dir_in_the_file_systemd_says_where(path: Path, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the retention timer STATE_DIRECTORY is set: a file of which nothing is left does not stop destruction."""
    monkeypatch.setenv("STATE_DIRECTORY", str(path.parent / "state"))
    path.unlink() if broken == "gone" else path.write_text(broken)
    config, refused = load_or_last_good(path)
    assert config.recording.retention_days == 3
    assert refused is not None


def test_another_nodes_copy_rules_nothing(path: Path) -> None:
    """A state directory copied from elsewhere keeps its own paths; it must not steer destruction here."""
    elsewhere = path.parent / "copied"
    (path.parent / "state").rename(elsewhere)
    path.write_text(TEXT.replace('"state"', '"copied"') + "x = 1\n")
    with pytest.raises(RefusedConfiguration):
        load_or_last_good(path)


def test_it_is_written_once_and_leaves_nothing_beside(path: Path) -> None:
    """An unchanged configuration costs no write to the card, and no temporary file stays."""
    kept = path.parent / "state" / NAME
    before = kept.stat().st_ino
    remember(path, load(path))
    assert kept.stat().st_ino == before
    path.write_text(TEXT.replace("= 3", "= 4"))
    remember(path, load(path))
    assert kept.stat().st_ino != before
    assert [p.name for p in kept.parent.iterdir()] == [NAME]
    assert load_last_good(kept.parent).recording.retention_days == 4


def test_a_disk_that_refuses_keeps_the_old_copy(path: Path) -> None:
    """A state directory in whose place a file stands: one StorageError with the remedy, no traceback."""
    path.write_text(TEXT.replace('"state"', '"config.toml/x"'))
    with pytest.raises(StorageError, match="cannot be kept"):
        remember(path, load(path))
