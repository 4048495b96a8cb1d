"""[[nomad.perimeter]]: what is drawn wrong is told in one clear line, with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.errors import ConfigurationError
from agent.config.load import load
from agent.nomad.perimeter import metres_outside

BASE = '[node]\nid = "nomade-3"\nrole = "nomadic"\nstate_dir = "state"\n[camera]\ndriver = "synthetic"\n'
SQUARE = "[[46.7795, 4.8528], [46.7795, 4.8568], [46.7815, 4.8568], [46.7815, 4.8528]]"
CORNERS = ((46.7795, 4.8528), (46.7795, 4.8568), (46.7815, 4.8568), (46.7815, 4.8528))


def configuration(tmp_path: Path, polygon: str = SQUARE, more: str = "") -> Path:
    """A file with this perimeter."""
    path = tmp_path / "config.toml"
    table = f'[[nomad.perimeter]]\nname = "marché"\nauthorisation = "2026-0412"\nuntil = 2031-01-31\npolygon = {polygon}\n'
    path.write_text(BASE + table + more, encoding="utf-8")
    return path


def test_a_perimeter_is_taken_as_it_is_drawn(tmp_path: Path) -> None:
    """With its authorisation and its last day."""
    (found,) = load(configuration(tmp_path)).nomad.perimeter
    assert (found.name, found.authorisation, found.basis, found.until.isoformat()) == (
        "marché",
        "2026-0412",
        "permanent",
        "2031-01-31",
    )
    assert found.polygon == CORNERS


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        ("[[46.7795, 4.8528], [46.7815, 4.8568], [46.7795, 4.8568], [46.7815, 4.8528]]", "crosses the edge"),
        ("[[4.8528, 46.7795], [4.8568, 46.7795], [4.8568, 46.7815]]", "latitude and longitude look swapped"),
        ("[[46.7795, 4.8528], [46.7795, 4.8568]]", "at least three corners"),
        ("[[46.7795, 4.8528], [46.7795, 4.8528], [46.7815, 4.8568]]", "are the same point"),
        ("[[146.7795, 4.8528], [46.7795, 4.8568], [46.7815, 4.8568]]", "is no place on earth"),
        ("[[46.7795, 4.8528], [47.7795, 4.8568], [46.7815, 4.8568]]", "km wide"),
        ("[[46.77950, 4.85280], [46.77951, 4.85280], [46.77951, 4.85281]]", "nothing can be put up in it"),
        ("[[46.7795, nan], [46.7795, 4.8568], [46.7815, 4.8568]]", "nan is no number"),
    ],
)
def test_what_is_drawn_wrong_is_told(tmp_path: Path, polygon: str, words: str) -> None:
    """Where, what, and what would be right."""
    with pytest.raises(ConfigurationError, match=words) as found:
        load(configuration(tmp_path, polygon))
    assert "polygon" in str(found.value)


def test_two_perimeters_of_one_name_are_refused(tmp_path: Path) -> None:
    """A deployment names one of them."""
    again = f'[[nomad.perimeter]]\nname = "Marché"\nauthorisation = "2026-1"\nuntil = 2031-01-31\npolygon = {SQUARE}\n'
    with pytest.raises(ConfigurationError, match="two perimeters are called"):
        load(configuration(tmp_path, more=again))


@given(st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_how_far_outside_a_place_is(north: float, east: float) -> None:
    """Of a rectangle it can be told by hand: 0 inside, else the distance to the nearest edge or corner."""
    latitude, longitude = 46.7805 + north, 4.8548 + east
    metres = metres_outside(CORNERS, latitude, longitude)
    shrink = 0.6848  # of a degree of longitude, there
    up = max(46.7795 - latitude, 0, latitude - 46.7815) * 111_320
    across = max(4.8528 - longitude, 0, longitude - 4.8568) * 111_320 * shrink
    assert metres == pytest.approx((up**2 + across**2) ** 0.5, rel=0.005, abs=0.5)
