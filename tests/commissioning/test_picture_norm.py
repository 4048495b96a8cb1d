"""The norm of 3 August 2007 and the densities of IEC 62676-4, at their limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from agent.commissioning.line import Grade, worst
from agent.commissioning.picture_norm import judge_picture
from agent.commissioning.pixel_density import FIRST_EDITION, SECOND_EDITION, judge_density, pixels_per_metre, task
from agent.config.model import CameraSettings


@pytest.mark.parametrize(
    ("purpose", "width", "height", "fps", "grade"),
    [
        ("identification", 704, 576, 12.0, Grade.OK), ("identification", 703, 576, 12.0, Grade.FAIL),
        ("identification", 704, 575, 12.0, Grade.FAIL), ("identification", 704, 576, 11.0, Grade.FAIL),
        ("identification", 704, 576, 11.9, Grade.OK), ("overview", 352, 288, 6.0, Grade.OK),
        ("overview", 352, 287, 6.0, Grade.FAIL), ("overview", 352, 288, 5.0, Grade.FAIL),
        ("identification", 1920, 480, 25.0, Grade.FAIL),
    ],
)  # fmt: skip
def test_the_orders_limits(purpose: str, width: int, height: int, fps: float, grade: Grade) -> None:
    """Narrow view: 704x576 and 12 a second; any other: 352x288 and 6; each dimension counts by itself."""
    assert worst(list(judge_picture(purpose, width, height, fps))) is grade


def test_the_rate_is_not_judged_unmeasured() -> None:
    """What the configuration promises is no measurement."""
    assert [line.check for line in judge_picture("overview", 1920, 1080, None)] == ["picture size"]


def test_pixels_per_metre_of_a_plain_case() -> None:
    """A lens of 90 degrees sees 20 m at 10 m: 1920 pixels make 96 a metre."""
    assert pixels_per_metre(1920, 10, 90) == pytest.approx(96)


@given(st.floats(0.1, 3000))
def test_both_editions_name_the_most_demanding_task(density: float) -> None:
    """More pixels never serve a lesser task, and each limit belongs to its task."""
    for edition in (FIRST_EDITION, SECOND_EDITION):
        served = [name for least, name in edition if density >= least]
        assert task(density, edition) == (served[0] if served else "less than any task asks for")
    assert [least for least, _ in reversed(FIRST_EDITION)] == [12.5, 25, 62.5, 125, 250, 1000]
    assert [least for least, _ in reversed(SECOND_EDITION)] == [20, 40, 80, 125, 250, 500, 1500]


def test_the_purpose_decides_whether_the_density_is_enough() -> None:
    """96 pixels a metre do for an overview and not to identify; unknown distances are asked for."""
    known = {"driver": "synthetic", "width": 1920, "distance_m": 10, "horizontal_view_degrees": 90}
    overview = judge_density(convert(known, CameraSettings))
    assert (overview.grade, overview.metrics["iec_62676_4_2014"], overview.metrics["iec_62676_4_2025"]) == (
        Grade.OK,
        "observe",
        "discern",
    )
    narrow = judge_density(convert(known | {"purpose": "identification"}, CameraSettings))
    assert narrow.grade is Grade.WARN
    assert "4 m away" in narrow.remedy
    assert judge_density(convert({"driver": "synthetic"}, CameraSettings)).grade is Grade.WARN
