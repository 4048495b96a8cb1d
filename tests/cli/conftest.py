"""A small node for whatever command is tried on one."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFIG = """
[node]
id = "pole-1"
state_dir = "state"
[camera]
driver = "synthetic"
width = 640
height = 480
[[privacy.mask]]
name = "window"
polygon = [[0.1, 0.1], [0.3, 0.1], [0.3, 0.3], [0.1, 0.3]]
[console]
port = 0
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A node on a drawn square, without a centre."""
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path
