"""What is fixed to the camera: no patch comes from there, the signed reference says so, and older references still open."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.errors import MaskError
from agent.config.polygon import Polygon
from agent.view.excluded_area import ExcludedArea, Ground
from agent.view.reference import ViewIdentity, ViewReference, forbidden_for_patches, mask_set_digest
from tests.support.scenery import DOOR, HEIGHT, WIDTH, WINDOW, seen, street

IDENTITY = ViewIdentity("0" * 64, "synthetic:", WIDTH, HEIGHT, 0)
LUMAS = [seen(street(), seed=i) for i in range(4)]


def taken(*excluded: ExcludedArea) -> ViewReference:
    """The street's reference without these areas."""
    return ViewReference.take(LUMAS, [WINDOW, DOOR], IDENTITY, by="a", on="b", excluded=excluded)[0]


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    """A rectangle, in fractions."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


WITHOUT = taken()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 0.8), st.floats(0, 0.8), st.floats(0.01, 0.2), st.floats(0.01, 0.2)), min_size=1, max_size=4)
)
def test_nothing_of_the_reference_lies_in_an_excluded_area(shapes: list[tuple[float, float, float, float]]) -> None:
    """No patch, and no feature's centre; the round trip keeps every area as it was."""
    excluded = tuple(ExcludedArea(box(x, y, x + w, y + h), Ground.STAYED) for x, y, w, h in shapes)
    reference = taken(*excluded)
    fixed = reference.fixed_to_camera() > 0
    for at in (reference.patches.at, reference.keypoints.at):
        columns, rows = np.round(at).astype(int).T
        assert not fixed[np.clip(rows, 0, fixed.shape[0] - 1), np.clip(columns, 0, fixed.shape[1] - 1)].any()
    assert ViewReference.from_bytes(reference.to_bytes()).excluded == excluded


def test_a_reference_of_before_still_opens() -> None:
    """Written when nothing was excluded, it has no such key, and a node without overlays goes on as it did."""
    document = json.loads(WITHOUT.to_bytes())
    assert "excluded" not in document
    assert ViewReference.from_bytes(WITHOUT.to_bytes()).excluded == ()
    before = "1b36b4538d25ab8513718da2e6c989fcbc920739d5bc12c3eb24bcdff914e9db"
    assert mask_set_digest([("window", WINDOW)]) == before


def test_an_overlay_named_later_is_another_mask_set() -> None:
    """A reference that was taken without it does not serve with it, nor the other way about."""
    masks, clock = [("window", WINDOW)], box(0, 0, 0.3, 0.1)
    digests = {
        mask_set_digest(masks),
        mask_set_digest(masks, [("clock", clock)]),
        mask_set_digest(masks, [("name", clock)]),
        mask_set_digest(masks, [("clock", WINDOW)]),
        mask_set_digest([*masks, ("clock", clock)]),
    }
    assert len(digests) == 5


def test_a_reference_with_a_patch_on_an_excluded_area_is_refused() -> None:
    """Whoever wrote it did not take it as it says."""
    document = json.loads(WITHOUT.to_bytes())
    x, y = WITHOUT.frame.to_fractions(WITHOUT.patches.at[:1])[0]
    at = box(x - 0.01, y - 0.01, x + 0.01, y + 0.01)
    document["excluded"] = [{"polygon": at, "ground": "stayed"}]
    with pytest.raises(MaskError, match="fixed to the camera"):
        ViewReference.from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize(
    "areas",
    [
        [{"polygon": [[0, 0], [1, 1]], "ground": "stayed"}],
        [{"polygon": [[0, 0], [2, 0], [1, 1]], "ground": "stayed"}],
        [{"polygon": [[0, 0], [1, 0], [1, "1"]], "ground": "stayed"}],
        [{"polygon": [[0, 0], [0.1, 0], [0.1, 0.1]], "ground": "because"}],
        [{"polygon": [[0, 0], [0.1, 0], [0.1, 0.1]], "ground": "named", "name": "n" * 81}],
        [{"polygon": [[0, 0], [0.01, 0], [0.01, 0.01]], "ground": "named"}] * 193,
        {"polygon": []},
        None,
    ],
)
def test_areas_that_do_not_fit_are_refused(areas: object) -> None:
    """Bounds, kinds and number of the stored areas are checked as everything else is."""
    document = json.loads(WITHOUT.to_bytes()) | {"excluded": areas}
    with pytest.raises(MaskError, match="cannot be read"):
        ViewReference.from_bytes(json.dumps(document).encode())


def test_nothing_is_learned_from_there_either() -> None:
    """The plane that ageing chooses its patches by knows the excluded areas."""
    corner = ExcludedArea(box(0, 0, 0.2, 0.1), Ground.NAMED, "clock")
    plane = forbidden_for_patches((), WITHOUT.frame, [corner])
    assert plane[0, 0] == plane[20, 70] == 255
    assert plane[100, 200] == 0
