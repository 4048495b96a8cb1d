"""Stills beside events: of the very picture, masked, bounded, rare, and never at the cost of the event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from agent.analytics.event_stills import EVERY_NS, MOST_BYTES, WIDTH_PX, EventStills
from agent.analytics.feature import STILL_TOPICS
from agent.base.clock import NS
from agent.base.errors import EncoderError
from agent.picture.cover import Cover, ViewState
from agent.ports.event import Event, PropertyOperation
from tests.support import decoded

if TYPE_CHECKING:
    from tests.analytics.conftest import Stage


@dataclass
class Sink:
    """What was raised, with its still or without."""

    raised: list[tuple[Event, bytes | None]] = field(default_factory=list)

    def raise_event(self, event: Event) -> None:
        """See EventSink."""
        self.raised.append((event, None))

    def raise_with_still(self, event: Event, still: bytes) -> None:
        """See StillSink."""
        self.raised.append((event, still))

    @property
    def stills(self) -> list[bytes]:
        """Those that came."""
        return [still for _, still in self.raised if still is not None]


def begins(topic: str = "VideoSource/MotionAlarm", state: object = True) -> Event:
    """A property that comes to hold."""
    assert isinstance(state, bool | str)
    return Event(topic, 1, {"Source": "n"}, {"State": state}, PropertyOperation.CHANGED)


@pytest.mark.parametrize("topic", sorted(STILL_TOPICS))
def test_what_begins_has_its_picture(stage: Stage, topic: str) -> None:
    """A JPEG of the frame, no wider and no longer than promised, its mask grey."""
    stage.cover = Cover((np.array([[0, 0], [0.5, 0], [0.5, 1], [0, 1]]),), 0.0, None, "", "half", ViewState.VERIFIED)
    sink = Sink()
    EventStills(sink, lambda: True, STILL_TOPICS).raise_seen(begins(topic), stage.frame(noise=30))
    (still,) = sink.stills
    assert len(still) <= MOST_BYTES
    picture = decoded.still(still)
    assert picture.shape[1] == WIDTH_PX
    assert np.abs(picture[:, : WIDTH_PX // 2 - 16].astype(int) - 128).max() < 8
    assert picture[:, WIDTH_PX // 2 + 16 :].std() > 20


OTHERS = [begins(state=False), begins("VideoSource/SignalLoss"), begins(state="opaque"), begins("Any/Other")]


@pytest.mark.parametrize("event", OTHERS)
def test_nothing_else_has_one(stage: Stage, event: Event) -> None:
    """What ends, what has no picture, what shows nothing: the event alone."""
    sink = Sink()
    EventStills(sink, lambda: True, STILL_TOPICS).raise_seen(event, stage.frame())
    assert sink.raised == [(event, None)]


def test_a_closed_picture_brings_none(stage: Stage) -> None:
    """There is nothing on it to see."""
    stage.cover = Cover.closed("the view is lost")
    sink = Sink()
    EventStills(sink, lambda: True, STILL_TOPICS).raise_seen(begins(), stage.frame())
    assert [still for _, still in sink.raised] == [None]


def test_off_means_off_and_is_asked_each_time(stage: Stage) -> None:
    """A reload takes effect with the next event."""
    sink, wanted = Sink(), [False]
    stills = EventStills(sink, lambda: wanted[0], STILL_TOPICS)
    stills.raise_seen(begins(), stage.frame())
    assert not sink.stills
    wanted[0] = True
    stills.raise_seen(begins(), stage.frame())
    assert len(sink.stills) == 1


def test_a_state_that_flutters_does_not_fill_the_line(stage: Stage) -> None:
    """Ten beginnings in a second, every one raised, one still of each topic; the next after a while."""
    sink = Sink()
    stills = EventStills(sink, lambda: True, STILL_TOPICS)
    for _ in range(10):
        stills.raise_seen(begins(), stage.frame(after_s=0.1))
        stills.raise_seen(begins("VideoSource/ImageTooDark/ImagingService"), stage.frame(after_s=0.01))
    assert len(sink.raised) == 20
    assert len(sink.stills) == 2
    stills.raise_seen(begins(), stage.frame(after_s=EVERY_NS / NS))
    assert len(sink.stills) == 3


def test_a_still_that_cannot_be_made_costs_no_event(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event goes without it."""

    def refuse(*_: object, **__: object) -> bytes:
        raise EncoderError("no still fits into 32768 bytes")

    monkeypatch.setattr("agent.analytics.event_stills.jpeg", refuse)
    sink = Sink()
    EventStills(sink, lambda: True, STILL_TOPICS).raise_seen(begins(), stage.frame())
    assert [still for _, still in sink.raised] == [None]
