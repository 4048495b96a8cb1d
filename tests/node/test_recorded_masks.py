"""What leaves a whole node, looked at: every private sample of every recorded picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.private_look import CODEC_TOLERANCE, worst_deviation
from tests.support.whole_node import WholeNode


@pytest.fixture
def node(tmp_path: Path) -> WholeNode:
    """A node of its own."""
    return WholeNode(tmp_path, tables={"node": "", "encoding": "crf = 23"})


def test_every_private_sample_of_every_recorded_picture_is_fill(node: WholeNode) -> None:
    """The whole film through the whole node: nothing dropped, everything recorded, no private sample survives."""
    node.write()
    node.validate()
    summary = node.run("--for", "12")
    assert summary["captured"] == summary["masked"] == summary["encoded"] == summary["recorded"] > 100
    assert summary["dropped"] == 0
    assert summary["opaque"] <= 5, "the view must be proved within half a second"
    pictures, worst = worst_deviation(node.recordings(), node.polygons)
    assert pictures == summary["recorded"]
    assert worst <= CODEC_TOLERANCE


def test_the_look_at_the_masks_can_fail(node: WholeNode) -> None:
    """The same look finds clear samples where no mask was: it would find a leak."""
    node.write()
    node.validate()
    node.run("--for", "3")
    shifted = [tuple((x, y + 0.4) for x, y in polygon) for polygon in node.polygons]
    assert worst_deviation(node.recordings()[:1], shifted)[1] > 5 * CODEC_TOLERANCE


@pytest.mark.parametrize("fault", ["no mask", "not validated", "reference altered"])
def test_what_cannot_be_vouched_for_is_recorded_closed(node: WholeNode, fault: str) -> None:
    """No mask, no validation or a touched reference: the node records, and every recorded picture is closed."""
    node.masks = fault != "no mask"
    node.write()
    if fault == "reference altered":
        node.validate()
        reference = node.directory / "state" / "view" / "reference.json"
        reference.write_bytes(reference.read_bytes().replace(b"1", b"2", 1))
    summary = node.run("--for", "4")
    assert summary["recorded"] > 20
    assert summary["opaque"] == summary["masked"]
    whole = [((0.0, 0.0), (1.0, 0.0), (1.0, 0.3), (0.0, 0.3))]  # above the words and the caption
    assert worst_deviation(node.recordings()[:1], whole)[1] <= CODEC_TOLERANCE
