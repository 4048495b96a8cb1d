"""A torn picture is told from a lorry by the rows in which patches go missing together."""

from __future__ import annotations

import numpy as np

from agent.view.patches import SIDE, Patches
from agent.view.row_proof import RowProof

AT = np.array([(x, y) for y in range(10, 180, 10) for x in range(20, 320, 50)], np.float64)
PATCHES = Patches(AT, np.zeros((len(AT), SIDE * SIDE), np.uint8), np.zeros(len(AT), np.intp))
WINDOW = np.array([(200.0, 20.0), (240.0, 20.0), (240.0, 40.0), (200.0, 40.0)])
PROOF = RowProof(PATCHES, [WINDOW])
ALL = np.ones(len(AT), np.bool_)


def test_rows_that_go_missing_together_are_a_tear() -> None:
    """Everything above row 45 gone, most of the picture still there: the window's rows are not proved."""
    assert PROOF.torn(ALL, AT[:, 1] < 45)


def test_a_tear_below_the_mask_does_not_concern_it() -> None:
    """Its own rows were read before."""
    assert not PROOF.torn(ALL, AT[:, 1] > 100)


def test_a_lorry_that_takes_a_few_patches_of_each_row_is_no_tear() -> None:
    """A third of the width gone at once, over all rows."""
    assert not PROOF.torn(ALL, (AT[:, 0] > 100) & (AT[:, 0] < 200))


def test_where_nothing_was_expected_nothing_is_torn() -> None:
    """Behind a lorry that stands there, other rows are asked."""
    behind = AT[:, 1] > 60
    assert not PROOF.torn(behind, ~behind)
    assert PROOF.torn(behind, behind & (AT[:, 1] < 100))


def test_a_mask_is_as_far_from_its_proof_as_its_third_nearest_patch() -> None:
    """Patches gone around it: the distance grows, and with it the margin."""
    near = PROOF.furthest_px(ALL)
    far = PROOF.furthest_px((AT[:, 1] > 100) & ALL)
    assert near < 25
    assert far > 60
    assert PROOF.furthest_px(np.zeros(len(AT), np.bool_)) == np.inf
