"""`[[privacy.overlay]]`: what is fixed to the camera, named by a technician, and what is refused of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config.finding import RefusedConfiguration
from agent.config.load import load

BEFORE = (
    '[node]\nid = "n"\n[camera]\ndriver = "synthetic"\n[[privacy.mask]]\nname = "w"\npolygon = [[0.1,0.1],[0.2,0.1],[0.2,0.2]]\n'
)
CLOCK = '[[privacy.overlay]]\nname = "clock"\npolygon = [[0.7, 0.0], [1.0, 0.0], [1.0, 0.07], [0.7, 0.07]]\n'


def refused(tmp_path: Path, overlays: str) -> str:
    """All that is said of these tables."""
    path = tmp_path / "config.toml"
    path.write_text(BEFORE + overlays)
    with pytest.raises(RefusedConfiguration) as caught:
        load(path)
    return str(caught.value)


def overlay(polygon: str, name: str = "clock") -> str:
    """One table."""
    return f'[[privacy.overlay]]\nname = "{name}"\npolygon = {polygon}\n'


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        (overlay("[[0, 0], [1, 0], [1, 0.6], [0, 0.6]]"), ["takes up 60% of the picture", "draw it close", "switch off"]),
        (
            overlay("[[0, 0], [1, 0], [1, 0.3], [0, 0.3]]", "a") + overlay("[[0, 0.6], [1, 0.6], [1, 0.9], [0, 0.9]]", "b"),
            ["the 2 overlays take up 60% of the picture together"],
        ),
        (overlay("[[0, 0], [0.5, 0]]"), ["at least three corners"]),
        (overlay("[[0, 0], [0.5, 0], [1, 0]]"), ["no inside"]),
        (overlay("[[0, 0], [960, 0], [960, 40], [0, 40]]"), ["the corners are in pixels"]),
        (overlay("[[0, 0], [0.2, 0.2], [0.2, 0], [0, 0.2]]"), ["crosses"]),
        (overlay('[["a", 0], [0.2, 0], [0.2, 0.2]]'), ['privacy.overlay "clock".polygon, corner 1, x: ']),
        (overlay("[[nan, 0], [0.2, 0], [0.2, 0.2]]"), ["nan is no number"]),
        (overlay("[[0, 0], [0.2, 0], [0.2, 0.2]]") * 2, ["two overlays are called 'clock'"]),
        ("[[privacy.overlay]]\npolygon = [[0, 0], [0.2, 0], [0.2, 0.2]]\n", ["privacy.overlay 1.name: is missing"]),
        (overlay("[[0, 0], [0.2, 0], [0.2, 0.2]]") + "why = 1\n", ['privacy.overlay "clock".why: ']),
    ],
)
def test_an_overlay_that_does_not_serve_is_refused_with_its_place_and_remedy(
    tmp_path: Path, tables: str, words: list[str]
) -> None:
    """One clear error each: the key, what is wrong, what would be right."""
    said = refused(tmp_path, tables)
    assert "privacy.overlay" in said
    for word in words:
        assert word in said


def test_overlays_that_overlap_count_once(tmp_path: Path) -> None:
    """Two drawings of the same third of the picture leave two thirds."""
    third = "[[0, 0], [1, 0], [1, 0.33], [0, 0.33]]"
    path = tmp_path / "config.toml"
    path.write_text(BEFORE + overlay(third, "a") + overlay(third, "b"))
    assert len(load(path).privacy.overlay) == 2
