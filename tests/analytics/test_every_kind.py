"""What the hub may rely on from every kind of detector there is, whatever comes before the camera and in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.analytics.feature import KINDS, DetectorKind, DetectorScene
from agent.mask.privacy_mask import MaskedFrame
from agent.picture.planes import Plane
from agent.picture.sameness import Sameness
from agent.ports.event import Event, PropertyOperation
from agent.stream.pipeline import Detector
from tests.support.configuration import configured

if TYPE_CHECKING:
    from tests.analytics.conftest import Stage as Scenery

NODE: Final = "pole-7"
SCENES: Final[dict[str, Callable[[Scenery], Plane | None]]] = {
    "as it is": lambda _: None,
    "walker": lambda stage: stage.with_walker(40 + stage.monotonic_ns // 10**8 % 500),
    "dark": lambda stage: np.full_like(stage.square, 18),
    "bright": lambda stage: np.full_like(stage.square, 233),
    "blurred": lambda stage: np.asarray(cv2.GaussianBlur(stage.square, (0, 0), 6), np.uint8),
    "turned away": lambda stage: np.roll(stage.square, 200, axis=1),
}
COVERS: Final = ("clear", "closed", "moved")
STEPS: Final = st.lists(
    st.tuples(st.sampled_from([*SCENES, "silence"]), st.sampled_from(COVERS), st.integers(1, 80)), min_size=1, max_size=8
)


def watched(detector: Detector, sameness: Sameness, stage: Scenery, steps: Sequence[tuple[str, str, int]]) -> list[Event]:
    """All that it says; each event is dated by the frame or the silence that it came with, and no frame is touched."""
    said: list[Event] = []
    for scene, cover, frames in steps:
        getattr(stage, cover)()
        for _ in range(frames):
            if scene == "silence":
                stage.monotonic_ns += 10**8
                found = detector.silence(stage.monotonic_ns + 10**18, stage.monotonic_ns)
                assert all(event.wall_ns == stage.monotonic_ns + 10**18 for event in found)
            else:
                frame = stage.frame(SCENES[scene](stage), noise=0.0)
                sameness.saw(frame.planes.y, frame.time.monotonic_ns)
                found = _untouched(detector, frame)
                assert all(event.wall_ns == frame.time.wall_ns for event in found)
            said += found
    return said


def _untouched(detector: Detector, frame: MaskedFrame) -> Sequence[Event]:
    before = frame.planes.y.copy()
    found = detector.observe(frame)
    assert np.array_equal(frame.planes.y, before)
    return found


@pytest.mark.parametrize("kind", KINDS, ids=[kind.topics[0].title for kind in KINDS])
@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_every_kind_tells_its_own_topics_as_properties_that_change(kind: DetectorKind, steps: list[tuple[str, str, int]]) -> None:
    """Only what it declared, about this node, with the data of the schema; first `Initialized`, then only what differs."""
    from tests.analytics.conftest import Stage

    config = configured(
        {"node": {"id": NODE}, "camera": {"driver": "synthetic"}, "motion": {"hold_seconds": 1}, "tampering": {"hold_seconds": 1}}
    )
    sameness = Sameness()
    detector = kind.make(config, DetectorScene(NODE, sameness))
    assert detector is not None
    topics = {topic.name: topic for topic in kind.topics}
    last: dict[str, Event] = {}
    for event in watched(detector, sameness, Stage(), steps):
        topic = topics[event.topic]
        assert (event.source, set(event.data)) == (dict.fromkeys(topic.source, NODE), set(topic.data))
        first = event.topic not in last
        assert event.operation is (PropertyOperation.INITIALIZED if first else PropertyOperation.CHANGED)
        assert first or event.data != last[event.topic].data
        last[event.topic] = event
    assert set(last) == set(topics) or not any(scene != "silence" for scene, _, _ in steps) or _closed_throughout(steps)


def _closed_throughout(steps: Sequence[tuple[str, str, int]]) -> bool:
    return all(cover != "clear" or scene == "silence" for scene, cover, _ in steps)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.section], ids=lambda kind: kind.section)
def test_a_kind_with_a_section_can_be_switched_off(kind: DetectorKind) -> None:
    """Then there is none, rather than one that is told to be silent."""
    off = configured({"node": {"id": NODE}, "camera": {"driver": "synthetic"}, kind.section: {"enabled": False}})
    assert kind.make(off, DetectorScene(NODE)) is None
