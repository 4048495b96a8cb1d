"""What the demonstration shows."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.errors import ConfigurationError
from agent.demo.scene import TOWN_SQUARE, Scene, configuration_text, parse_mask, quoted
from tests.support.configuration import configured


@given(st.text())
def test_any_text_survives_quoting(text: str) -> None:
    """A path with quotes or backslashes in it reads back as it was."""
    assert (
        tomllib.loads(f"key = {quoted(text.encode('utf-8', 'replace').decode())}")["key"]
        == text.encode("utf-8", "replace").decode()
    )


def test_the_configuration_it_writes_is_valid(tmp_path: Path) -> None:
    """What the demonstration leaves behind is a file any other command takes."""
    scene = Scene(tmp_path / "a film.avi", 768, 576, 10, dict(TOWN_SQUARE))
    text = configuration_text(scene, "demo", tmp_path, "mqtt://127.0.0.1:1883", 0)
    config = configured(tomllib.loads(text))
    assert [m.name for m in config.privacy.mask] == list(TOWN_SQUARE)
    assert config.camera.source == str(tmp_path / "a film.avi")


@pytest.mark.parametrize("text", ["", "a", "a=", "a=0,0 1", "a=0,0 1,1", "a=0,0 2,0 1,1", "a=0,0 1,x 1,1"])
def test_a_wrong_mask_is_refused_in_words(text: str) -> None:
    """A slip on the command line is named, with what would be right."""
    with pytest.raises(ConfigurationError, match="--mask"):
        parse_mask(text)
