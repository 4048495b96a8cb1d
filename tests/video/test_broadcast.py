"""The broadcast: what each reader gets of one stream, however slow it is, and what it knows of what it missed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.base.errors import EncoderError
from agent.base.queues import Closed
from agent.picture.access_unit import AccessUnit
from agent.stream.broadcast import Broadcast, BroadcastFrame, BroadcastReader, Closing

SMALL = 4


def unit_at(index: int, *, keyframe: bool) -> AccessUnit:
    """A frame of a stream of 25 per second."""
    at_ns = index * 40_000_000
    return AccessUnit(b"%d" % index, keyframe, at_ns, at_ns, 40_000_000, at_ns, index)


@dataclass
class Everything:
    """A listener that keeps its own account, as the recorder does."""

    units: list[int] = field(default_factory=list)
    closings: list[int] = field(default_factory=list)

    def offer(self, unit: AccessUnit) -> None:
        self.units.append(unit.index)

    def offer_closing(self, closing: AccessUnit) -> None:
        self.closings.append(closing.index)


class Stamp:
    """A signer whose closing unit names the last frame it signed; there is none twice."""

    def __init__(self) -> None:
        self._open: AccessUnit | None = None

    def process(self, unit: AccessUnit) -> AccessUnit:
        self._open = unit
        return replace(unit, data=unit.data + b"signed")

    def pause(self) -> AccessUnit | None:
        last, self._open = self._open, None
        return None if last is None else replace(last, data=b"closing", keyframe=False, duration_ns=0)

    finish = pause


def taken(reader: BroadcastReader) -> BroadcastFrame | Closing | None:
    """What lies there now."""
    try:
        return reader.get(0)
    except Closed:
        return None


@given(st.lists(st.sampled_from(["key", "frame", "frame", "frame", "take", "take", "pause", "join"]), max_size=200))
def test_what_a_slow_reader_gets_begins_at_keyframes_and_names_its_gaps(steps: list[str]) -> None:
    """Any interleaving of frames, takes and pauses: whole GOP beginnings, in order, each gap counted, no signature astray."""
    broadcast, recorder = Broadcast(Stamp()), Everything()
    broadcast.attach(recorder)
    reader = broadcast.subscribe(SMALL)
    got: list[BroadcastFrame | Closing] = []
    index, keys = 0, set[int]()
    for step in steps:
        if step in ("key", "frame"):
            broadcast.publish(unit_at(index, keyframe=step == "key"))
            keys |= {index} if step == "key" else set()
            index += 1
        elif step == "pause":
            broadcast.close_open_gop()
        elif step == "take" and (found := taken(reader)) is not None:
            got.append(found)
    while (found := taken(reader)) is not None:
        got.append(found)
    assert recorder.units == list(range(index))
    frames = [each for each in got if isinstance(each, BroadcastFrame)]
    assert all(frame.unit.data.endswith(b"signed") for frame in frames)
    for before, frame in zip([None, *frames], frames, strict=False):
        gap = 0 if before is None else frame.unit.index - before.unit.index - 1
        assert frame.missed == gap
        if before is None or gap:
            assert frame.unit.index in keys
    for ahead, each in pairwise(got):
        if isinstance(each, Closing):
            assert isinstance(ahead, BroadcastFrame)
            assert ahead.unit.index == each.unit.index
    assert not got or isinstance(got[0], BroadcastFrame)
    assert reader.missed >= sum(frame.missed for frame in frames)


def test_a_slow_reader_costs_nobody_else_a_frame() -> None:
    """One that never takes anything, beside one that does and the recorder."""
    broadcast, recorder = Broadcast(), Everything()
    broadcast.attach(recorder)
    stuck, quick = broadcast.subscribe(SMALL), broadcast.subscribe(SMALL)
    got: list[int] = []
    for index in range(100):
        broadcast.publish(unit_at(index, keyframe=index % 10 == 0))
        item = taken(quick)
        assert isinstance(item, BroadcastFrame)
        got.append(item.unit.index)
    assert got == recorder.units == list(range(100))
    assert (stuck.missed, quick.missed) == (100 - SMALL, 0)


def test_keyframes_are_missed_too_while_there_is_no_room() -> None:
    """Bounded is bounded: a keyframe evicts nothing, and the first one that finds room tells of the whole gap."""
    broadcast = Broadcast()
    reader = broadcast.subscribe(2)
    for index in range(9):
        broadcast.publish(unit_at(index, keyframe=True))
    assert [item.unit.index for _ in range(2) if (item := taken(reader))] == [0, 1]
    broadcast.publish(unit_at(9, keyframe=False))
    assert taken(reader) is None
    broadcast.publish(unit_at(10, keyframe=True))
    assert taken(reader) == BroadcastFrame(unit_at(10, keyframe=True), missed=8)


def test_a_reader_that_joins_in_mid_stream_has_missed_nothing_before_its_keyframe() -> None:
    """What was sent before it came is no loss of its own."""
    broadcast = Broadcast(Stamp())
    broadcast.publish(unit_at(0, keyframe=True))
    with broadcast.subscribe() as reader:
        broadcast.publish(unit_at(1, keyframe=False))
        broadcast.close_open_gop()
        assert taken(reader) is None
        broadcast.publish(unit_at(2, keyframe=True))
        first = taken(reader)
        assert isinstance(first, BroadcastFrame)
        assert (first.unit.index, first.missed, reader.missed) == (2, 0, 0)


def test_whoever_left_gets_nothing_more_and_whoever_waits_is_woken() -> None:
    """Leaving twice is no fault."""
    broadcast = Broadcast()
    reader = broadcast.subscribe()
    broadcast.publish(unit_at(0, keyframe=True))
    woken = threading.Event()

    def watch() -> None:
        with pytest.raises(Closed):
            while True:
                reader.get(60)
        woken.set()

    watching = threading.Thread(target=watch)
    watching.start()
    reader.close()
    reader.close()
    watching.join(60)
    assert woken.is_set()
    broadcast.publish(unit_at(1, keyframe=True))
    assert len(reader._queue) == 0


def test_whoever_wants_to_be_told_is_told_of_each_item_it_can_take() -> None:
    """Of frames and closing signatures alike; not of what it misses."""
    broadcast = Broadcast(Stamp())
    reader = broadcast.subscribe(2)
    found: list[type] = []
    reader.on_item(lambda: found.append(type(taken(reader))))
    broadcast.publish(unit_at(0, keyframe=False))
    broadcast.publish(unit_at(1, keyframe=True))
    broadcast.publish(unit_at(2, keyframe=False))
    broadcast.close_open_gop()
    assert found == [BroadcastFrame, BroadcastFrame, Closing]


def test_before_the_first_encoder_there_is_no_format() -> None:
    """Asked too early it says so, in words."""
    with pytest.raises(EncoderError, match="no stream"):
        _ = Broadcast().format


def test_readers_come_and_go_while_frames_are_handed_out() -> None:
    """From other threads: each sees an unbroken run from a keyframe on."""
    broadcast, over = Broadcast(Stamp()), threading.Event()
    wrong: list[str] = []

    def visit() -> None:
        while not over.is_set():
            with broadcast.subscribe(1000) as reader:
                seen = [item.unit for _ in range(5) if isinstance(item := reader.get(0.05), BroadcastFrame)]
            if seen and not seen[0].keyframe:
                wrong.append("begins amid a GOP")
            if [unit.index for unit in seen] != list(range(seen[0].index, seen[0].index + len(seen)) if seen else []):
                wrong.append("broken")

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for each in visitors:
        each.start()
    for index in range(3000):
        broadcast.publish(unit_at(index, keyframe=index % 5 == 0))
    over.set()
    for each in visitors:
        each.join(60)
    assert wrong == []
    assert broadcast._listeners == ()
