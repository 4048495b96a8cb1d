"""The last masked picture may stand still for a moment of doubt: its very samples, marked, and for 0.2 s at most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import NS, rfc3339
from agent.base.errors import MaskError
from agent.base.queues import Closed
from agent.mask.colour import SOLID_YUV
from agent.mask.held_frame import MOST_HELD_NS, HeldFrame, mark_rows
from agent.mask.privacy_mask import Fill, MaskedFrame, PrivacyMask
from agent.picture.access_unit import AccessUnit
from agent.picture.caption import Caption
from agent.picture.cover import CORRUPT, HELD, Cover, ViewState
from agent.picture.frame import RawFrame
from agent.picture.planes import FrameTime, Planes
from agent.ports.event import Event
from agent.stream.broadcast import Broadcast
from agent.stream.masking import Masking
from agent.stream.pipeline import Pipeline
from agent.stream.snapshot import SnapshotTaker
from bench.fitful_camera import NoEvents
from hardware.encoder_libav import LibavEncoder
from hardware.stream_clock import StreamClock
from tests.support.manual_clock import ManualClock

WIDTH, HEIGHT = 320, 180
MS = NS // 1000
PLACES = [np.array([(x, 0.4), (x + 0.2, 0.4), (x + 0.2, 0.7), (x, 0.7)]) for x in (0.1, 0.5)]
MARK_ROWS = mark_rows(HEIGHT)
MOST_MS = MOST_HELD_NS // MS


def raw(index: int, at_ms: int, *, corrupt: bool = False) -> RawFrame:
    """A picture no sample of which is in any other one."""
    planes = Planes.empty(WIDTH, HEIGHT)
    for number, plane in enumerate((planes.y, planes.u, planes.v)):
        plane[...] = 30 + index * 3 + number
    return RawFrame(planes, FrameTime(index, 10 * NS + at_ms * MS, 1_780_315_200 * NS + at_ms * MS), corrupt=corrupt)


def clear(place: int = 0) -> Cover:
    """A proved cover."""
    return Cover((PLACES[place],), 0.0, None, "", f"masks at {place}", ViewState.VERIFIED)


def doubt() -> Cover:
    """Brief doubt of the guard."""
    return Cover.closed("the view is being verified", holdable=True)


def samples(frame: MaskedFrame) -> tuple[np.ndarray, ...]:
    """Copies of its four planes."""
    return tuple(plane.copy() for plane in (frame.planes.y, frame.planes.u, frame.planes.v, frame.small))


def same_but_for_the_mark(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    """Equal everywhere but in the rows of the mark; the small luma, which nobody sees, everywhere."""
    chroma = slice(MARK_ROWS.start // 2, MARK_ROWS.stop // 2)
    return all(
        np.array_equal(np.delete(a, np.r_[rows], axis=0), np.delete(b, np.r_[rows], axis=0))
        for a, b, rows in zip(one, other, (MARK_ROWS, chroma, chroma, slice(0, 0)), strict=True)
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["clear", "moved", "doubt", "closed", "corrupt"]),
        st.integers(-40, 250),
        st.sampled_from([0, 20, 40, 150, 250]),
    ),
    min_size=1,
    max_size=40,
)
"""What comes, how much later it is stamped, and how much later it comes; in milliseconds."""


@given(steps=STEPS, fill=st.sampled_from(["solid", "mosaic"]))
def test_a_model_says_of_every_picture_what_is_shown(steps: list[tuple[str, int, int]], fill: Fill) -> None:
    """Whatever comes in whatever order and time: new, held for at most 0.2 s behind a new one, or closed."""
    clock, at_ms, now_ms = ManualClock(), 0, 0
    last: tuple[tuple[np.ndarray, ...], int, str, int] | None = None
    mask = PrivacyMask(fill, clock=clock)
    for index, (kind, step_ms, passes_ms) in enumerate(steps):
        at_ms += step_ms
        now_ms += passes_ms
        clock.advance(passes_ms / 1000)
        cover = {"clear": clear(0), "moved": clear(1), "doubt": doubt(), "closed": Cover.closed("no reference")}.get(
            kind, clear()
        )
        frame = mask.apply(raw(index, at_ms, corrupt=kind == "corrupt"), cover)
        if kind in ("clear", "moved"):
            assert (frame.opaque, frame.held, frame.view) == (False, False, ViewState.VERIFIED)
            last = (samples(frame), at_ms, frame.mask_digest, now_ms)
        elif kind != "closed" and last is not None and 0 < at_ms - last[1] <= MOST_MS and now_ms - last[3] <= MOST_MS:
            assert (frame.opaque, frame.held, frame.view, frame.mask_digest) == (False, True, HELD, last[2])
            assert frame.reason.startswith("held: ")
            assert frame.time.index == index
            assert same_but_for_the_mark(samples(frame), last[0])
            assert (frame.planes.y[MARK_ROWS] >= 200).any(), "it is marked"
        else:
            assert (frame.opaque, frame.held) == (True, False)
            assert (frame.planes.u == SOLID_YUV[1]).all()
            last = None


def test_what_is_damaged_is_never_shown_whoever_proved_it() -> None:
    """A corrupt picture with a cover that is clear, or by statement: closed, and says why."""
    for cover in (clear(), Cover.none_needed()):
        frame = PrivacyMask(clock=ManualClock()).apply(raw(1, 0, corrupt=True), cover)
        assert (frame.opaque, frame.reason) == (True, CORRUPT)


def test_a_held_picture_is_no_source_of_another() -> None:
    """Held pictures follow one another for 0.2 s in all, and the store takes neither a held nor a closed one."""
    mask = PrivacyMask(clock=ManualClock())
    mask.apply(raw(0, 0), clear())
    shown = [mask.apply(raw(n, 40 * n), doubt()) for n in range(1, 9)]
    assert [frame.held for frame in shown] == [True] * 5 + [False] * 3
    assert [frame.opaque for frame in shown] == [False] * 5 + [True] * 3
    for frame in (shown[0], shown[-1]):
        with pytest.raises(MaskError):
            HeldFrame(ManualClock()).keep(frame)


@pytest.mark.parametrize(
    "stamp_ms",
    [
        pytest.param(lambda n: 4 * n, id="slow down to a tenth"),
        pytest.param(lambda n: n / MS, id="stand still"),
        pytest.param(lambda n: 40 * n - 900, id="step back"),
        pytest.param(lambda n: 40 * n - 900 * (n % 2), id="step back and forth"),
    ],
)
def test_no_stamps_win_a_held_picture_more_time(stamp_ms: Callable[[int], float]) -> None:
    """A picture comes every 40 ms, dated as the node dates a camera whose stamps go wrong: five are held, and no more."""
    stamps, clock = StreamClock(), ManualClock()
    mask, kept = PrivacyMask(clock=clock), 100

    def shown(n: int) -> MaskedFrame:
        now_ns = clock.monotonic_ns()
        at_ns = stamps.date(round(40 * MS * n if n <= kept else 40 * MS * kept + MS * stamp_ms(n - kept)), now_ns)
        frame = mask.apply(RawFrame(raw(0, 0).planes, FrameTime(n, at_ns, at_ns)), clear() if n <= kept else doubt())
        clock.advance(0.04)
        return frame

    for n in range(kept + 1):
        assert not shown(n).opaque
    fates = [shown(kept + n) for n in range(1, 40)]
    assert sum(frame.held for frame in fates) <= 5
    assert all(frame.opaque for frame in fates[5:])


def test_what_was_stuck_on_the_way_is_not_held() -> None:
    """A stall of a second, and then a picture whose stamp says that it was read at once: closed."""
    clock = ManualClock()
    mask = PrivacyMask(clock=clock)
    mask.apply(raw(0, 0), clear())
    clock.advance(1.0)
    assert mask.apply(raw(1, 40), doubt()).opaque


def test_another_size_or_a_stalled_camera_holds_nothing() -> None:
    """What comes in another size, or after a stall, finds the picture closed."""
    for width, at_ms in ((WIDTH // 2, 40), (WIDTH, 3_000)):
        mask = PrivacyMask(clock=ManualClock())
        mask.apply(raw(0, 0), clear())
        other = RawFrame(Planes.empty(width, HEIGHT), FrameTime(1, 10 * NS + at_ms * MS, 1))
        assert mask.apply(other, doubt()).opaque


def test_the_scene_keeps_its_own_time_and_the_mark_tells_for_how_long() -> None:
    """The caption stays that of the picture that stands; two held pictures differ in their mark."""
    mask = PrivacyMask(caption=Caption("pole-7", "bottom", "Europe/Paris"), clock=ManualClock())
    first = samples(mask.apply(raw(0, 0), clear()))
    held = [samples(mask.apply(raw(n, 100 * n), doubt())) for n in (1, 2)]
    assert all(same_but_for_the_mark(first, each) for each in held)
    assert not np.array_equal(held[0][0], held[1][0])


def test_where_nothing_can_be_kept_nothing_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory for a copy, or a mark that cannot be written: the picture closes, unmarked it never stands."""
    mask = PrivacyMask(clock=ManualClock())

    def refuse(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(HeldFrame, "keep", refuse)
        assert not mask.apply(raw(0, 0), clear()).opaque
    assert mask.apply(raw(1, 40), doubt()).opaque
    mask.apply(raw(2, 80), clear())
    with monkeypatch.context() as patch:
        patch.setattr(HeldFrame, "_write_mark", refuse)
        assert mask.apply(raw(3, 120), doubt()).opaque


class _Script:
    """A capture that hands out what it was given."""

    def __init__(self, frames: list[RawFrame]) -> None:
        self.frames = iter(frames)

    def take(self, timeout_s: float) -> RawFrame | None:
        frame = next(self.frames, None)
        if frame is None:
            raise Closed
        return frame


class _Witness:
    """A guard, and a validation, that note what they are shown."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def observe(self, frame: RawFrame) -> Cover:
        self.seen.append(frame.time.index)
        return clear()

    def offer(self, frame: RawFrame) -> None:
        self.seen.append(frame.time.index)


@contextmanager
def _masked(frames: list[RawFrame], mask: PrivacyMask) -> Iterator[tuple[Masking, _Witness, _Witness]]:
    guard, validation = _Witness(), _Witness()
    yield Masking(_Script(frames), guard, mask, validation), guard, validation  # type: ignore[arg-type]


def test_nobody_learns_from_a_damaged_picture_and_health_tells_what_was_shown() -> None:
    """Guard and validation do not see it; held and closed ones are counted, and told with their reason."""
    frames = [raw(n, 60 * n, corrupt=n in (1, 2, 3, 4)) for n in range(6)]
    with _masked(frames, PrivacyMask(clock=ManualClock())) as (masking, guard, validation):
        told = []
        for _ in frames:
            with masking.next(0) as frame:
                assert frame is not None
                told.append((masking.shown.opaque, masking.shown.reason))
    assert guard.seen == validation.seen == [0, 5]
    assert told == [(False, ""), *[(False, f"held: {CORRUPT}")] * 3, (True, CORRUPT), (False, "")]
    assert (masking.masked, masking.held, masking.opaque) == (6, 3, 1)


def test_new_masks_hold_no_picture_of_the_old_ones() -> None:
    """After a reload or a validation the picture stays closed until the new guard has proved one."""
    with _masked([raw(0, 0), raw(1, 40, corrupt=True)], PrivacyMask(clock=ManualClock())) as (masking, guard, _):
        with masking.next(0) as frame:
            assert frame is not None
            assert not frame.opaque
        masking.replace(guard, PrivacyMask(clock=ManualClock()))
        with masking.next(0) as frame:
            assert frame is not None
            assert frame.opaque


class _Looker:
    """A detector and a viewer that note which pictures they are shown; a recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.judged: list[int] = []
        self.viewed: list[int] = []
        self.units: list[AccessUnit] = []

    def observe(self, frame: MaskedFrame) -> Sequence[Event]:
        self.judged.append(frame.time.index)
        return ()

    def silence(self, wall_ns: int, monotonic_ns: int) -> Sequence[Event]:
        return ()

    def show(self, frame: MaskedFrame) -> None:
        self.viewed.append(frame.time.index)

    def offer(self, unit: AccessUnit) -> None:
        self.units.append(unit)

    def offer_closing(self, closing: AccessUnit) -> None:
        raise AssertionError("nothing is signed here")


def test_detectors_judge_new_pictures_alone_and_the_recorder_is_told_which_are_held() -> None:
    """A held picture is encoded and seen by viewers like any other; no detector takes it for a scene that stands still."""
    looker, frames = _Looker(), [raw(n, 60 * n, corrupt=n in (2, 3)) for n in range(6)]
    with _masked(frames, PrivacyMask(clock=ManualClock())) as (masking, _, _):
        broadcast = Broadcast()
        broadcast.attach(looker)
        Pipeline(
            masking,
            lambda: LibavEncoder(WIDTH, HEIGHT, 25, crf=30, threads=1),
            ManualClock(),
            broadcast=broadcast,
            detectors=[looker],
            viewers=[looker],
            events=NoEvents(),
        ).work()
    assert looker.judged == [0, 1, 4, 5]
    assert looker.viewed == [unit.index for unit in looker.units] == list(range(6))
    assert [unit.view == HELD for unit in looker.units] == [False, False, True, True, False, False]
    assert {unit.mask_digest for unit in looker.units} == {"masks at 0"}
    assert not any(unit.opaque for unit in looker.units)


def test_a_snapshot_waits_for_a_new_picture() -> None:
    """Whoever asks for what is seen now is not given what was seen before."""
    mask, clock = PrivacyMask(clock=ManualClock()), ManualClock()
    frames = [mask.apply(raw(0, 0), clear()), mask.apply(raw(1, 40), doubt()), mask.apply(raw(2, 80), clear())]
    snapshot = SnapshotTaker(clock)

    def wait(event: threading.Event, timeout_s: float) -> bool:
        for frame in frames[1:]:
            snapshot.show(frame)
        return event.is_set()

    clock.wait = wait  # type: ignore[method-assign]
    assert snapshot.take(WIDTH).at == rfc3339(frames[2].time.wall_ns)
