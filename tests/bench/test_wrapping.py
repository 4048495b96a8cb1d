"""What lies between lens and guard in the corpus does what its name says, and what is private is followed through it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from agent.picture.planes import Plane
from bench.coded import Lossy, LostSlices, Stale, without_slices
from bench.disturbance import Grain, Stage
from bench.provenance import Provenance
from bench.scene import WIDTH, drawn_square
from bench.wrapping import WRAPPINGS, wrapped

HEIGHT, EVENT, SHIFT = 360, 20, 165
SQUARE = drawn_square().at(0)


def stage(seed: int) -> Stage:
    """Of a picture of this height, with the knock on that frame."""
    return Stage(np.random.default_rng(seed), HEIGHT, EVENT)


def knocked(n: int) -> Plane:
    """The drawn square, moved aside on the event."""
    return np.roll(SQUARE, SHIFT, axis=1) if n >= EVENT else SQUARE


def private(n: int) -> Plane:
    """One house number's surroundings: they move with the scene."""
    plane = np.zeros((HEIGHT, WIDTH), np.uint8)
    plane[60:300, 200:300] = 255
    return np.roll(plane, SHIFT, axis=1) if n >= EVENT else plane


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_wrapping_repeats_itself(name: str) -> None:
    """The same seed gives the same pictures."""
    for n in range(3):
        first, second = wrapped(name, stage(4)), wrapped(name, stage(4))
        assert np.array_equal(first.deliver(knocked(n), n), second.deliver(knocked(n), n))


@pytest.mark.parametrize("name", ["overlay", "heavy", "hood"])
def test_marks_stay_where_they_are(name: str) -> None:
    """Where they lie any picture looks the same, and everywhere else it looks as it did."""
    wrapping = wrapped(name, stage(5))
    black, white = np.zeros((HEIGHT, WIDTH), np.uint8), np.full((HEIGHT, WIDTH), 255, np.uint8)
    over_black, over_white = wrapping.deliver(black, 30), wrapping.deliver(white, 30)
    fixed = cv2.absdiff(over_black, over_white) <= 8
    untouched = (over_black == 0) & (over_white == 255)
    assert fixed.sum() > 200
    assert (fixed | untouched).mean() > 0.95


def test_the_burnt_in_clock_ticks() -> None:
    """Once a second, and not in between."""
    wrapping = wrapped("overlay", stage(6))
    picture = knocked(0)
    start = wrapping.deliver(picture, 25)
    assert np.array_equal(start, wrapping.deliver(picture, 49))
    assert not np.array_equal(start, wrapping.deliver(picture, 50))


def test_a_starved_encoder_shows_less_than_it_was_given() -> None:
    """At 100 kbit/s the picture is further from the one that was sent than over a good line."""

    def off(kbit_s: int) -> float:
        line, grain = Lossy(stage(7), kbit_s), Grain(1)
        return float(np.mean([cv2.absdiff(line.deliver(grain.add(knocked(n), n), n), knocked(n)) for n in range(EVENT + 5)]))

    assert off(100) > 1.2 * off(4000)


def test_what_a_lost_slice_leaves_behind_is_private_where_it_was() -> None:
    """Stale places keep the private space of the picture before; what arrived has that of the present one."""
    told = False
    for seed in range(8):
        line, grain = LostSlices(stage(seed)), Grain(2)
        for n in range(EVENT + 10):
            received = line.deliver(grain.add(knocked(n), n), n)
            seen = line.private(n, private)
            old = cv2.blur(cv2.absdiff(received, knocked(0)), (9, 9)) + 20.0 < cv2.blur(cv2.absdiff(received, knocked(n)), (9, 9))
            if n >= EVENT and (old & (private(0) > 0)).sum() > 2000:
                told = True
                assert ((seen > 0) & old & (private(0) > 0)).sum() > 0.8 * (old & (private(0) > 0)).sum()
            if n < EVENT and not line.corrupt(n):
                assert np.mean(seen == private(n)) > 0.99
    assert told


def test_the_decoder_tells_which_pictures_it_made_up() -> None:
    """A picture whose slices were lost is flagged, and so are those that rest on it; with all of them none is."""
    line = LostSlices(stage(11))
    told = [line.corrupt(n) for n in range(EVENT + 12) if line.deliver(knocked(n), n) is not None]
    assert not told[0]
    assert all(told[told.index(True) :])
    whole = Lossy(stage(11))
    assert not any(whole.corrupt(n) for n in range(EVENT + 3) if whole.deliver(knocked(n), n) is not None)


def test_stale_rows_show_the_old_picture() -> None:
    """Where the memory was not renewed the old picture is seen with its private space; elsewhere the new one."""
    memory = Stale(stage(12))
    for n in range(EVENT + 1):
        shown = memory.deliver(knocked(n), n)
    new, old, seen = knocked(EVENT), knocked(0), memory.private(EVENT, private)
    assert not np.array_equal(shown, new)
    assert np.all((shown == new) | (shown == old))
    stale = shown != new
    assert np.array_equal(seen[stale], private(0)[stale])


def test_only_the_named_slices_go() -> None:
    """The first slice and what is no slice always stay."""
    unit = b"".join(b"\x00\x00\x01" + bytes([kind, number]) for number, kind in enumerate((7, 8, 0x41, 0x41, 0x41)))
    assert without_slices(unit, frozenset({0, 2})) == unit[: 4 * 5]
    assert without_slices(unit, frozenset()) == unit


@pytest.mark.parametrize(("arrived", "shows"), [(0.0, False), (0.04, False), (0.2, True), (1.0, True)])
def test_a_space_is_private_where_it_is_seen_and_not_where_it_was_only_sent(arrived: float, shows: bool) -> None:
    """A faint image of the knocked square is sent: what the line keeps back nobody sees, and a fifth of it is seen."""
    seen_at, new = private(0), cv2.bitwise_and(private(EVENT), cv2.bitwise_not(private(0)))
    follows = Provenance()
    sent = np.asarray(cv2.addWeighted(knocked(EVENT), 0.15, knocked(0), 0.85, 0), np.uint8)
    follows.update(knocked(0), knocked(0))
    assert np.array_equal(follows.private(seen_at), seen_at)
    got = np.asarray(cv2.addWeighted(sent, arrived, knocked(0), 1 - arrived, 0), np.uint8)
    follows.update(got, sent)
    found = follows.private(np.asarray(cv2.bitwise_or(seen_at, private(EVENT)), np.uint8))
    assert bool((found[new > 0] > 0).any()) is shows
    assert (found[seen_at > 0] > 0).all()
