"""The reference of a view: what it holds, what it does not hold, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.base.errors import MaskError
from agent.picture.planes import Plane
from agent.view.cover_geometry import private_outlines, stamp
from agent.view.pose import WorkingSize
from agent.view.reference import ViewIdentity, ViewReference, mask_set_digest
from agent.view.verdict import MaskProof
from tests.support.scenery import DOOR, HEIGHT, WIDTH, WINDOW, seen, street

IDENTITY = ViewIdentity("0" * 64, "synthetic:", WIDTH, HEIGHT, 0)
MASKS = [WINDOW, DOOR]
LUMAS = [seen(street(), seed=i) for i in range(5)]
REFERENCE, VERDICT = ViewReference.take(LUMAS, MASKS, IDENTITY, by="a technician", on="today")
STORED = REFERENCE.to_bytes()


def test_a_street_can_be_guarded_and_the_verdict_says_how_well() -> None:
    """Patches, cells, self-similarity and the distance of each mask to its proof, in words."""
    assert VERDICT.guardable
    said = "\n".join(VERDICT.lines())
    assert "can be guarded well" in said
    assert "mask 1:" in said
    assert "mask 2:" in said


@pytest.mark.parametrize("kind", ["fog", "grating", "snow"])
def test_a_view_without_landmarks_cannot_be_guarded(kind: str) -> None:
    """Nothing to see, the same thing everywhere, or never the same twice: the verdict says no."""
    rng = np.random.default_rng(0)
    grating = np.tile(np.where(np.arange(WIDTH) // 16 % 2, 60, 180).astype(np.uint8), (HEIGHT, 1))
    grating = np.where(np.arange(HEIGHT)[:, None] // 16 % 2, grating, 240 - grating).astype(np.uint8)
    kinds: dict[str, Callable[[], Plane]] = {
        "fog": lambda: np.full((HEIGHT, WIDTH), 128, np.uint8),
        "grating": grating.copy,
        "snow": lambda: rng.integers(0, 255, (HEIGHT, WIDTH)).astype(np.uint8),
    }
    _, verdict = ViewReference.take([kinds[kind]() for _ in range(4)], MASKS, IDENTITY, by="a", on="b")
    assert not verdict.guardable
    assert "cannot be guarded" in verdict.lines()[0]


def test_what_lies_behind_the_masks_leaves_no_trace_in_the_reference() -> None:
    """Change every pixel inside the masks: the stored bytes stay the same."""
    inside = stamp([np.array(m) for m in MASKS], WorkingSize(WIDTH, HEIGHT)) > 0
    rng = np.random.default_rng(5)
    changed = []
    for luma in LUMAS:
        changed.append(luma.copy())
        changed[-1][inside] = rng.integers(0, 255, int(inside.sum()))
    other, _ = ViewReference.take(changed, MASKS, IDENTITY, by="a technician", on="today")
    assert other.to_bytes() == STORED


def test_passers_by_are_not_remembered() -> None:
    """What is there in one of the pictures only does not become a patch."""
    walker = [luma.copy() for luma in LUMAS]
    walker[2][200:280, 100:130] = street(9)[200:280, 100:130]
    other, _ = ViewReference.take(walker, MASKS, IDENTITY, by="a", on="b")
    x, y = other.patches.at.T * 2
    assert not ((x > 96) & (x < 134) & (y > 196) & (y < 284)).any()


def test_it_reads_what_it_wrote() -> None:
    """A round trip keeps everything."""
    read = ViewReference.from_bytes(STORED)
    assert read.to_bytes() == STORED
    assert read.identity == IDENTITY
    assert (read.by, read.on) == ("a technician", "today")


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(STORED) - 1), st.integers(0, 7), st.integers(0, len(STORED)))
def test_damaged_bytes_are_refused_or_read_but_never_fail_otherwise(where: int, bit: int, length: int) -> None:
    """Bit flips and truncation end in MaskError or in a reference, never in another exception."""
    damaged = bytearray(STORED)
    damaged[where] ^= 1 << bit
    for data in (bytes(damaged), STORED[:length], STORED + STORED[:length]):
        try:
            ViewReference.from_bytes(data)
        except MaskError:
            pass


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("patches", "AAAA"),
        ("patches_at", "////"),
        ("keypoints_at", "AAAAAAAAwH8="),
        ("rotation", 90),
        ("format", 2),
        ("width", 0),
        ("masks", "nothing"),
        ("masks", "0" * 64 + "\n"),
        ("masks", None),
        ("format", True),
        ("format", 1.0),
        ("format", None),
        ("rotation", False),
        ("width", 640.0),
        ("width", "640"),
        ("width", float("nan")),
        ("height", 10**400),
        ("by", ""),
        ("by", "b" * 201),
        ("on", 5),
        ("camera", "\ud800"),
        ("patches", "AA==\n"),
        ("patches", "not base64"),
        ("cells", ["AA=="]),
        ("more", 1),
    ],
)
def test_a_document_that_does_not_fit_is_refused(key: str, value: object) -> None:
    """Every field is checked for itself and against the others."""
    document = json.loads(STORED)
    document[key] = value
    with pytest.raises(MaskError):
        ViewReference.from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize(
    "data",
    [
        *[b"", b"null", b"[]", b"[" * 100_000, b'{"format":' * 20_000, b"\xef\xbb\xbf" + STORED, STORED + b"x", STORED[:-3]],
        *[STORED.replace(b'"format": 1', b'"format": ' + wrong) for wrong in (b"NaN", b"1e400", b"01", b"2", b"[" * 90_000)],
        *[STORED.replace(b"synthetic", wrong) for wrong in (b"\xff", b"\xed\xa0\x80", b"\0", b"\n", rb"\ud800")],
    ],
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    """Broken JSON, broken text, bottomless nesting: one clear error, and the document itself is as it was always written."""
    with pytest.raises(MaskError, match="cannot be read"):
        ViewReference.from_bytes(data)
    assert STORED.startswith(b'{\n "format": 1,\n "masks": "' + b"0" * 64 + b'",\n "camera": "synthetic:",\n "width": ')


def test_nothing_is_stored_that_could_not_be_loaded() -> None:
    """Whoever validated a view has a name, and not an endless one."""
    for by in ("", "b" * 201):
        with pytest.raises(ValueError, match="length"):
            replace(REFERENCE, by=by).to_bytes()


def test_a_moved_corner_or_another_name_is_another_mask_set() -> None:
    """The digest names every corner and every name."""
    one = mask_set_digest([("window", WINDOW)])
    assert one != mask_set_digest([("window", DOOR)])
    assert one != mask_set_digest([("door", WINDOW)])
    assert one == mask_set_digest([("window", WINDOW)])


def test_a_space_at_the_edge_of_the_frame_goes_on_behind_it() -> None:
    """A door cut by the lower edge is private below it too."""
    outlines = private_outlines([np.array(DOOR)])
    assert len(outlines) == 2
    assert outlines[1][:, 1].max() > 1.4


def test_each_mask_has_a_verdict_in_words_and_a_weak_one_a_remedy() -> None:
    """By the mask's name: well guarded, guarded, or weakly guarded and what to change; no bare figure to be judged."""
    cases = ((0.02, False), (0.1, False), (0.3, False), (0.3, True))
    said = [MaskProof(0, distance, overlaid).words("bakery") for distance, overlaid in cases]
    assert [words.split(": ")[1] for words in said] == ["well guarded", "guarded", "weakly guarded", "weakly guarded"]
    assert all(words.startswith("mask bakery: ") for words in said)
    assert all("`vigie masks validate`" in words for words in said[2:])
