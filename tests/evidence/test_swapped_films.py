"""Films in one another's place, on one node and between two of a town: none passes for what it is not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from bench.clocked_node import ClockedNode, Stream

STREAM = Stream(10, 1, 7, None)


@pytest.fixture
def node(tmp_path: Path) -> ClockedNode:
    """One that recorded three segments."""
    made = ClockedNode(tmp_path / "node")
    made.live(STREAM, 20)
    return made


def test_two_segments_in_one_anothers_place_are_left_out(tmp_path: Path, node: ClockedNode) -> None:
    """Both are authentic, and neither is what was recorded there: the export leaves them out, and its sheet says so."""
    first, second, third = (row.path for row in node.rows())
    kept = tmp_path / "kept.mp4"
    first.rename(kept)
    second.rename(first)
    kept.rename(second)
    exported = node.export()
    report = verify(exported.film, node.identity.anchors())
    assert (report.verdict, report.authentic) == (Verdict.AUTHENTIC, node.rows()[2].frames), report.reason
    assert third.exists()
    assert sum("another film lies" in each.why for each in exported.contents.absences) == 2


def test_another_nodes_segment_never_passes(tmp_path: Path, node: ClockedNode) -> None:
    """Of the same second, place and length, so that nothing but the key tells them apart."""
    other = ClockedNode(tmp_path / "other")
    other.live(STREAM, 20)
    swapped = node.rows()[1].path
    shutil.copy(other.rows()[1].path, swapped)
    anchors = node.identity.anchors()
    assert verify(swapped, anchors).verdict is Verdict.NOT_TRUSTED
    exported = node.export()
    report = verify(exported.film, anchors)
    assert report.verdict is Verdict.NOT_AUTHENTIC
    assert "another key signs" in report.reason
    assert report.authentic >= node.rows()[0].frames


@pytest.mark.parametrize("name", ["120000~1.MP4", "no extension", "FILM.MP4.", "\u202e4pm.film"])
def test_a_copy_is_the_same_film_under_any_name(tmp_path: Path, node: ClockedNode, name: str) -> None:
    """As file systems of sticks and hands of people name them, with a time stamp of before the epoch of any of them."""
    copy = tmp_path / name
    shutil.copyfile(node.rows()[1].path, copy)
    os.utime(copy, (0, 0))
    assert verify(copy, node.identity.anchors()).verdict is Verdict.AUTHENTIC
