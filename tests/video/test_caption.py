"""The caption: what a viewer reads on the strip, at any resolution, and that it never uncovers a mask."""

from __future__ import annotations

from datetime import datetime

import cv2
import numpy as np
import pytest

from agent.base.clock import NS
from agent.base.errors import ConfigurationError
from agent.mask.colour import SOLID_YUV
from agent.mask.privacy_mask import PrivacyMask
from agent.picture.caption import Caption
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Plane, Planes

UTC_DIGITS = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 22)
"""Letters of `2026-11-25 10:11:20.123` that are digits."""
LOCAL_FROM = 29
LOCAL_DIGITS = (0, 1, 3, 4, 6, 7, 10, 11, 13, 14)
"""Letters of `11:11:20 +01:00` that are digits."""
SIZES = [(1920, 1080), (1280, 720), (768, 576), (704, 576), (640, 360), (352, 288)]


def grey(width: int, height: int) -> Planes:
    """A picture of one colour that is neither fill nor strip."""
    planes = Planes.empty(width, height)
    planes.y[...], planes.u[...], planes.v[...] = 90, 90, 200
    return planes


def at(text: str) -> FrameTime:
    """The frame of this instant."""
    moment = datetime.fromisoformat(text)
    return FrameTime(0, 1, int(moment.timestamp()) * NS + moment.microsecond * 1000)


def outline(cell: Plane) -> Plane:
    """What is bright in a cell, cut out and brought to one size: what a reader compares."""
    rows, columns = np.nonzero(cell > cell.max() // 2)
    cut = cell[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return np.asarray(cv2.resize(cut, (24, 32), interpolation=cv2.INTER_AREA), np.float64)


DOTS = """
.###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###.
#...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...#
#...# ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...#
#...# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .####
#...# ..#.. ..#.. ....# ##### ....# #...# ..#.. #...# ....#
#...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#.
.###. .###. ##### .###. ...#. .###. .###. .#... .###. .##..
"""
"""The ten digits as old screens show them."""


def templates() -> list[Plane]:
    """The ten digits as anybody knows them, drawn here and by nothing the caption uses."""
    rows = [row.split() for row in DOTS.split("\n") if row]
    dots = [np.array([[255 * (dot == "#") for dot in row[digit]] for row in rows], np.uint8) for digit in range(10)]
    large = [cv2.resize(digit, None, fx=20, fy=20, interpolation=cv2.INTER_NEAREST) for digit in dots]
    return [outline(np.asarray(digit, np.uint8)) for digit in large]


def read_digits(caption: Caption, planes: Planes, letters: tuple[int, ...], first: int = 0) -> str:
    """Read the digits at these letters of the strip's first line by likeness to the templates."""
    layout = caption._laid_out(planes.width, planes.height)
    top, bottom = caption.rows(planes.width, planes.height)
    strip = planes.y[top:bottom]
    known = [(t - t.mean()) / t.std() for t in templates()]
    text = ""
    for letter in letters:
        left = layout.cell_width // 2 + (first + letter) * layout.cell_width
        seen = outline(strip[2 : 2 + layout.cell_height, left : left + layout.cell_width])
        seen = (seen - seen.mean()) / (seen.std() + 1e-6)
        text += str(int(np.argmax([(seen * template).mean() for template in known])))
    return text


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_time_can_be_read_back(width: int, height: int) -> None:
    """UTC with milliseconds and local time with its offset stand on the strip, at every usual resolution."""
    caption, planes = Caption("place-du-marche-03", "bottom", "Europe/Paris"), grey(width, height)
    caption.draw(planes, at("2026-11-25T09:11:20.456+00:00"))
    assert read_digits(caption, planes, UTC_DIGITS) == "20261125091120456"
    if caption._laid_out(width, height).lines == 1:
        assert read_digits(caption, planes, LOCAL_DIGITS, LOCAL_FROM) == "1011200100"


@pytest.mark.parametrize(
    ("instant", "utc", "local"),
    [
        ("2026-03-29T00:59:59.999+00:00", "20260329005959999", "0159590100"),
        ("2026-03-29T01:00:00.000+00:00", "20260329010000000", "0300000200"),
        ("2026-10-25T00:59:59.500+00:00", "20261025005959500", "0259590200"),
        ("2026-10-25T01:00:00.000+00:00", "20261025010000000", "0200000100"),
        ("2026-12-31T23:59:59.999+00:00", "20261231235959999", "0059590100"),
        ("2027-01-01T00:00:00.000+00:00", "20270101000000000", "0100000100"),
    ],
)
def test_midnight_and_summer_time(instant: str, utc: str, local: str) -> None:
    """The offset says which of the two hours it is when clocks are set back, and the year turns in UTC."""
    caption, planes = Caption("n", "bottom", "Europe/Paris"), grey(1920, 1080)
    caption.draw(planes, at("2026-03-29T00:59:59.000+00:00"))
    caption.draw(planes, at(instant))
    assert read_digits(caption, planes, UTC_DIGITS) == utc
    assert read_digits(caption, planes, LOCAL_DIGITS, LOCAL_FROM) == local


def test_a_clock_that_leaps_back_shows() -> None:
    """The strip follows the frame's own time, also backwards."""
    caption, planes = Caption("n", "bottom", "UTC"), grey(1920, 1080)
    for instant, digits in (
        ("2026-11-25T10:00:00.001+00:00", "20261125100000001"),
        ("1970-01-01T00:00:07.250+00:00", "19700101000007250"),
    ):
        caption.draw(planes, at(instant))
        assert read_digits(caption, planes, UTC_DIGITS) == digits


@pytest.mark.parametrize("position", ["top", "bottom", "off"])
@pytest.mark.parametrize(("width", "height"), [*SIZES, (128, 96), (65, 49), (64, 64)])
def test_only_the_strips_rows_change(position: str, width: int, height: int) -> None:
    """Whatever the size, nothing outside of `rows` is touched, and the strip itself is opaque in colour too."""
    caption, planes = Caption("place-du-marche-03", position, "UTC"), grey(width, height)  # type: ignore[arg-type]
    caption.draw(planes, at("2026-11-25T10:00:00+00:00"))
    top, bottom = caption.rows(width, height)
    assert (bottom > top) is (position != "off")
    outside = np.ones(height, bool)
    outside[top:bottom] = False
    assert (planes.y[outside] == 90).all()
    assert not (planes.y[top:bottom] == 90).all(axis=1).any()
    assert (planes.u[top // 2 : (bottom + 1) // 2] == 128).all()
    assert (planes.u[: top // 2] == 90).all()
    assert (planes.v[(bottom + 1) // 2 :] == 200).all()


def test_a_mask_wins_over_the_caption() -> None:
    """Where a mask lies under the strip the mask is seen, not the caption."""
    corner = np.array(((0.0, 0.9), (0.3, 0.9), (0.3, 1.0), (0.0, 1.0)))
    mask = PrivacyMask("solid", Caption("n", "bottom", "UTC"))
    raw = RawFrame(grey(640, 360), at("2026-11-25T10:00:00+00:00"))
    frame = mask.apply(raw, Cover((corner,), 0.0, None, "", "corner", ViewState.VERIFIED))
    assert (frame.planes.y[324:, :192] == SOLID_YUV[0]).all()
    assert (frame.planes.y[-4:, 200:] != 90).all()


def test_a_closed_picture_still_carries_the_time() -> None:
    """The caption is written on closed pictures: a recording never loses its time."""
    caption = Caption("n", "bottom", "UTC")
    raw = RawFrame(grey(1920, 1080), at("2026-11-25T10:00:00.123+00:00"))
    frame = PrivacyMask("solid", caption).apply(raw, Cover.closed("no proof"))
    assert read_digits(caption, frame.planes, UTC_DIGITS) == "20261125100000123"


def test_an_unknown_time_zone_is_refused_with_the_remedy() -> None:
    """One clear line, before the first frame."""
    with pytest.raises(ConfigurationError, match="Europe/Paris"):
        Caption("n", "bottom", "Europe/Atlantis")
