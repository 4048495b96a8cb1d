"""`vigie config show`: the effective configuration and where each value comes from."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from agent.cli import vigie
from agent.config.digest import config_digest
from agent.config.load import load
from agent.config.setting import settings
from agent.config.transcript import transcript

FULL = """\
[node]
id = "pole-17"
site = "Place du \\"Marché\\" \\\\ \\u007f é"
state_dir = "state"
[camera]
driver = "file"
source = "film.avi"
[[privacy.mask]]
name = "a"
polygon = [[0, 0], [1, 0], [1, 0.1234567890123456]]
[[privacy.mask]]
name = "b"
polygon = [[0, 0], [1, 0], [1, 1]]
[[motion.ignore]]
polygon = [[0, 0], [1, 0], [1, 1]]
[mqtt]
url = "mqtts://hub"
fallback_urls = ["mqtts://b", "wss://c"]
"""


def show(*arguments: str) -> str:
    """Stdout of `vigie config show`."""
    result = CliRunner().invoke(vigie, ["config", "show", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_what_is_shown_loads_to_the_same_configuration(tmp_path: Path) -> None:
    """The transcript is TOML: put in a file, elsewhere, it means what the files meant, with and without origins."""
    path = tmp_path / "config.toml"
    path.write_text(FULL)
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.d" / "a.toml").write_text("[privacy]\nmargin = 1e-5\n[mqtt]\nhealth_seconds = 30\n")
    other = tmp_path / "elsewhere" / "config.toml"
    other.parent.mkdir()
    for flags in ([], ["--origin"]):
        other.write_text(show("--config", str(path), *flags))
        assert config_digest(load(other)) == config_digest(load(path))
        assert load(other) == load(path)


def test_a_statement_in_the_place_of_masks_is_kept(tmp_path: Path) -> None:
    """Dates and inner tables survive the transcript as well."""
    path = tmp_path / "config.toml"
    path.write_text(
        '[node]\nid="a"\n[camera]\ndriver="synthetic"\n[privacy.none_needed]\nby="AM"\non=2026-11-23\nwhy="a blind wall only"\n'
    )
    config = load(path)
    path.write_text(transcript(settings(config)))
    assert load(path) == config


def test_every_value_names_its_line_or_default(tmp_path: Path) -> None:
    """Two files that fight are visible: the winner's line, and the line it beat."""
    path = tmp_path / "config.toml"
    path.write_text(FULL)
    (tmp_path / "config.d").mkdir()
    over = tmp_path / "config.d" / "10-site.toml"
    over.write_text('[node]\nsite = "Market"\n')
    rows = {row["key"]: row for row in json.loads(show("--config", str(path), "--origin", "--json"))["settings"]}
    assert rows["node.site"]["origin"] == {"file": str(over), "line": 2}
    assert rows["node.site"]["overrides"] == [{"file": str(path), "line": 3}]
    assert rows["privacy.mask[1].name"]["origin"] == {"file": str(path), "line": 12}
    assert rows["camera.fps"] == {"key": "camera.fps", "value": 25.0, "origin": "default", "overrides": []}
    text = show("--config", str(path), "--origin")
    assert f"# {over}:2, over {path}:3" in text
