"""The centre is told when the picture closes and when it opens again, once each, and why."""

from __future__ import annotations

import numpy as np

from agent.analytics.mask_state import BY_STATEMENT, PrivacyMaskDetector
from agent.base.clock import NS
from agent.mask.privacy_mask import MaskedFrame, PrivacyMask
from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.ports.event import Event, Priority, PropertyOperation

SQUARE = np.array([(0.25, 0.25), (0.5, 0.25), (0.5, 0.5), (0.25, 0.5)])
MASKED = Cover((SQUARE,), 0.0, None, "", "a", ViewState.VERIFIED)
CLOSED = Cover.closed("the view is not recognised")


def picture(n: int, cover: Cover) -> MaskedFrame:
    """The nth picture at 10 fps under this cover."""
    planes = Planes.empty(64, 64)
    return PrivacyMask().apply(RawFrame(planes, FrameTime(n, n * NS // 10, n * NS // 10)), cover)


def play(*spans: tuple[int, Cover]) -> list[Event]:
    """Every event of so many pictures under each cover in turn."""
    detector, n, events = PrivacyMaskDetector("n1"), 0, list[Event]()
    for count, cover in spans:
        for _ in range(count):
            events += detector.observe(picture(n, cover))
            n += 1
    return events


def test_closed_and_open_again_are_told_once_each() -> None:
    """Initialised as masked, an alarm when it closes, back when it opens."""
    told = play((20, MASKED), (30, CLOSED), (40, MASKED))
    assert [e.data["State"] for e in told] == ["masked", "opaque", "masked"]
    assert [e.operation for e in told] == [PropertyOperation.INITIALIZED, PropertyOperation.CHANGED, PropertyOperation.CHANGED]
    assert told[1].priority is Priority.ALARM
    assert told[1].data["Reason"] == "the view is not recognised"


def test_a_few_closed_frames_are_nobodys_business() -> None:
    """The guard closes the picture for a frame or two at a knock: no event."""
    assert len(play((20, MASKED), (5, CLOSED), (20, MASKED))) == 1


def test_a_node_that_starts_closed_says_so() -> None:
    """Without a reference the first event is the alarm, with the reason."""
    told = play((20, CLOSED))
    assert [e.data["State"] for e in told] == ["opaque"]
    assert told[0].operation is PropertyOperation.INITIALIZED


def test_another_reason_is_told() -> None:
    """From `not recognised` to `moved for good`: the centre hears the difference."""
    assert [e.data["Reason"] for e in play((20, CLOSED), (20, Cover.closed("moved")))] == ["the view is not recognised", "moved"]


def test_clear_by_statement_says_by_statement() -> None:
    """Nobody takes an unmasked picture for an accident."""
    assert play((5, Cover.none_needed()))[0].data["Reason"] == BY_STATEMENT
