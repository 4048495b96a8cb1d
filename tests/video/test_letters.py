"""The letters: each there and unlike the others, cut at the plane's edge, and drawn without a font of OpenCV."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.mask.colour import SOLID_YUV
from agent.mask.reason import write_reason
from agent.picture.letters import WHITE, Letters, plain
from agent.picture.planes import Plane

BLACK = 16
PRINTABLE = [chr(code) for code in range(32, 127)]
CELLS = [(6, 10), (9, 14), (11, 17), (16, 26), (36, 58)]
"""Columns and rows of a caption's cell at 360, 576, 720 and 1080 rows, and of a reason's at 1080."""


def cell_of(letter: str, width: int, height: int) -> Plane:
    """One letter on black."""
    cell = np.zeros((height, width), np.uint8)
    Letters(width, height, BLACK, WHITE).write(cell, letter, 0, 0)
    return cell


def apart(one: Plane, other: Plane) -> float:
    """How much of the two letters' ink lies where the other has none: 0 for the same letter, 1 for no common ink."""
    inks = [cell.astype(float) - BLACK for cell in (one, other)]
    return float(np.abs(inks[0] - inks[1]).sum() / (inks[0].sum() + inks[1].sum()))


@pytest.mark.parametrize(("width", "height"), CELLS)
def test_every_letter_is_there_and_like_no_other(width: int, height: int) -> None:
    """All but the space leave ink as bright as asked, and no two of them look the same."""
    cells = {letter: cell_of(letter, width, height) for letter in PRINTABLE}
    assert [letter for letter, cell in cells.items() if (cell == BLACK).all()] == [" "]
    assert all(cell.min() >= BLACK and cell.max() <= WHITE for cell in cells.values())
    for one, other in itertools.combinations(PRINTABLE[1:], 2):
        assert apart(cells[one], cells[other]) > 0.05, (one, other)


@pytest.mark.parametrize(("width", "height"), CELLS)
def test_no_digit_is_taken_for_another(width: int, height: int) -> None:
    """Any two digits differ in a seventh of their ink, also ten rows high; so, nearly, do 0 and O, 1, I and l."""
    cells = {letter: cell_of(letter, width, height) for letter in "0123456789OIl"}
    for one, other in itertools.combinations("0123456789", 2):
        assert apart(cells[one], cells[other]) > 0.15, (one, other)
    for one, other in (("0", "O"), ("1", "I"), ("1", "l"), ("I", "l")):
        assert apart(cells[one], cells[other]) > 0.12, (one, other)


@pytest.mark.parametrize(("width", "height"), CELLS)
def test_digits_reach_the_full_brightness(width: int, height: int) -> None:
    """Strokes are no thinner than a sample: on a small picture no digit is a grey shadow of itself."""
    for digit in "0123456789":
        assert cell_of(digit, width, height).max() >= 220


@pytest.mark.parametrize(("width", "height"), CELLS)
def test_neighbours_do_not_touch(width: int, height: int) -> None:
    """The last column of a cell stays dark, so that a row of letters never runs together."""
    for letter in PRINTABLE:
        assert cell_of(letter, width, height)[:, -1].max() < BLACK + (WHITE - BLACK) / 3, letter


def test_accents_are_dropped_and_the_rest_is_a_box() -> None:
    """A letter with an accent is its own letter without one, in whichever of the two ways it is encoded."""
    assert plain("Épicéa, Zürich") == plain("E\u0301picéa, Zu\u0308rich") == "Epicea, Zurich"
    assert (cell_of("é", 16, 26) == cell_of("e", 16, 26)).all()
    box = cell_of("漢", 16, 26)
    assert (box == cell_of("\n", 16, 26)).all()
    assert all(apart(box, cell_of(letter, 16, 26)) > 0.05 for letter in PRINTABLE[1:])


@given(
    st.text(max_size=12),
    st.tuples(st.integers(1, 24), st.integers(1, 40)),
    st.tuples(st.integers(0, 40), st.integers(0, 40)),
    st.integers(-500, 500),
    st.integers(-80, 80),
)
@example("0", (1, 1), (0, 0), 0, 0)
def test_what_leaves_the_plane_is_cut(text: str, cell: tuple[int, int], size: tuple[int, int], left: int, top: int) -> None:
    """Whatever is written wherever, nothing is raised and the plane holds its part of what a roomy one would."""
    rows, columns = size
    spacious = np.zeros((200, 2000), np.uint8)
    letters = Letters(*cell, BLACK, WHITE)
    letters.write(spacious, text, 600 + left, 80 + top)
    frame = np.full((rows + 2, columns + 2), 99, np.uint8)
    luma = frame[1:-1, 1:-1]
    luma[...] = 0
    letters.write(luma, text, left, top)
    assert (luma == spacious[80 : 80 + rows, 600 : 600 + columns]).all()
    luma[...] = 99
    assert (frame == 99).all()


@given(st.text(max_size=200), st.integers(1, 400), st.integers(1, 300))
@example("the view has moved", 64, 64)
@example("W" * 200, 64, 64)
def test_a_reason_is_written_on_a_picture_of_any_size(reason: str, width: int, height: int) -> None:
    """Words only brighten the plane; from 64x64 on they leave a margin at both sides."""
    luma = np.full((height, width), SOLID_YUV[0], np.uint8)
    write_reason(luma, reason)
    assert (luma >= SOLID_YUV[0]).all()
    if width >= 64 and height >= 64:
        written = np.flatnonzero((luma > SOLID_YUV[0]).any(axis=0))
        assert not written.size or (written[0] >= 2 and written[-1] < width - 2)


@pytest.mark.parametrize(("width", "height"), [(64, 64), (96, 64), (352, 288), (640, 360), (1920, 1080)])
def test_a_short_reason_stands_whole_in_the_middle(width: int, height: int) -> None:
    """Nothing of it is cut, and there is as much room above as below, and left as right, but for a tail or a gap."""
    luma = np.full((height, width), SOLID_YUV[0], np.uint8)
    write_reason(luma, "the view has moved")
    rows = np.flatnonzero((luma > SOLID_YUV[0]).any(axis=1))
    columns = np.flatnonzero((luma > SOLID_YUV[0]).any(axis=0))
    assert abs(rows[0] - (height - 1 - rows[-1])) <= max(6, height // 40)
    assert abs(columns[0] - (width - 1 - columns[-1])) <= max(4, width // 60)


def test_no_font_of_opencv_is_asked_for() -> None:
    """Caption and reason come out where OpenCV's text is forbidden, and cost less memory than its fonts."""
    script = """
import cv2, numpy as np
def forbidden(*_, **__): raise AssertionError("a font is loaded")
cv2.putText = cv2.getTextSize = forbidden
from agent.picture.caption import Caption
from agent.picture.planes import FrameTime, Planes
from agent.mask.reason import write_reason
def resident_kb():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])
planes = Planes.empty(1280, 720)
for plane in (planes.y, planes.u, planes.v): plane[...] = 126
before = resident_kb()
Caption("place-du-marche-03", "bottom", "Europe/Paris").draw(planes, FrameTime(0, 1, 1_764_061_880_456_000_000))
write_reason(planes.y, "the view has moved")
assert (planes.y[-24:] == 235).any() and (planes.y[200:500] == 235).any()
print(resident_kb() - before)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 4000
