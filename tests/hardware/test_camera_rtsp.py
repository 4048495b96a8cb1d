"""What the RTSP driver does without a network: addresses, passwords, time. The rest runs in the rtsp lane."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.base.errors import CameraError
from hardware.camera_rtsp import check_transport, private_address, public_address
from hardware.rate_limit import RateLimit
from hardware.stream_clock import FURTHEST_OFF_NS, StreamClock


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_any_password_reaches_the_camera_and_stays_out_of_the_public_address(
    tmp_path_factory: pytest.TempPathFactory, password: str
) -> None:
    """Whatever characters it has: quoted for the URL, parsed back to the same, absent from what may be logged."""
    file = tmp_path_factory.mktemp("secret") / "password"
    file.write_text(password + "\n", encoding="utf-8")
    address = private_address("rtsp://anna@cam.example:8554/live?profile=1", file)
    parts = urlsplit(address)
    assert unquote(parts.password or "") == password
    assert (parts.username, parts.hostname, parts.port, parts.path) == ("anna", "cam.example", 8554, "/live")
    assert public_address(address) == "rtsp://cam.example:8554/live"


@given(st.text(max_size=40))
def test_public_address_never_raises_nor_repeats_credentials(text: str) -> None:
    """Malformed addresses too."""
    try:
        shown = public_address(f"rtsp://user:hidden-word@{text}")
    except ValueError:
        return
    assert "hidden-word" not in shown or "hidden-word" in text


def test_missing_password_file_is_named(tmp_path: Path) -> None:
    """The file, and what belongs into it."""
    with pytest.raises(CameraError, match=r"nothere.* cannot be read"):
        private_address("rtsp://anna@cam/live", tmp_path / "nothere")


@given(
    jitters=st.lists(st.integers(0, 80_000_000), min_size=2, max_size=200),
    drift=st.floats(0.9995, 1.0005),
    period_ns=st.integers(10_000_000, 200_000_000),
)
def test_dates_increase_and_never_lie_ahead_of_arrival(jitters: list[int], drift: float, period_ns: int) -> None:
    """Whatever the network's jitter and the camera's drift: time goes forward, never beyond now, never far behind it."""
    clock, last_ns = StreamClock(), 0
    arrival_ns = 0
    for n, jitter in enumerate(jitters):
        arrival_ns = max(arrival_ns + 1, 1_000 * NS + n * period_ns + jitter)
        dated_ns = clock.date(round(n * period_ns * drift), arrival_ns)
        assert last_ns < dated_ns <= arrival_ns
        assert arrival_ns - dated_ns <= FURTHEST_OFF_NS
        last_ns = dated_ns


def test_even_pictures_stay_even_behind_a_jittery_network() -> None:
    """Arrivals wander by 30 ms; the dates keep the camera's own 40 ms to within a few."""
    clock = StreamClock()
    dates = [clock.date(n * 40_000_000, 1_000 * NS + n * 40_000_000 + (n * 7919 % 31) * 1_000_000) for n in range(500)]
    gaps = [b - a for a, b in pairwise(dates[100:])]
    assert max(abs(gap - 40_000_000) for gap in gaps) < 3_000_000


def dated(period_ms: int, stamp_ms: float, wander_ms: int) -> list[int]:
    """The dates of a minute's pictures that arrive every `period_ms`, stamped `stamp_ms` apart, late by up to `wander_ms`."""
    clock, chance = StreamClock(), random.Random(period_ms)
    arrivals = [1_000 * NS + (n * period_ms + chance.randint(0, wander_ms)) * 1_000_000 for n in range(60_000 // period_ms)]
    return [clock.date(round(n * stamp_ms * 1_000_000), arrival_ns) for n, arrival_ns in enumerate(arrivals)]


@pytest.mark.parametrize(
    ("period_ms", "stamp_ms"), [(100, 84), (100, 95), (100, 105), (100, 116), (40, 20), (40, 42), (100, 200)]
)
def test_a_camera_whose_seconds_are_not_ours_is_followed_at_its_own_pace(period_ms: int, stamp_ms: float) -> None:
    """5 % and more beside our clock: no date jumps, and behind the first seconds the pictures are as even as they were taken."""
    dates = dated(period_ms, stamp_ms, period_ms // 2)
    gaps = [b - a for a, b in pairwise(dates)]
    assert max(gaps) < 1.5 * period_ms * 1_000_000
    steady = gaps[len(gaps) // 4 :]
    assert max(abs(gap - period_ms * 1_000_000) for gap in steady) < period_ms * 1_000_000 / 10


@pytest.mark.parametrize("stamp_ms", [0, 0.01, 1, 10])
def test_timestamps_that_stand_still_are_not_believed(stamp_ms: float) -> None:
    """Such pictures are dated by their arrival: none is half a second from the one before."""
    assert max(b - a for a, b in pairwise(dated(100, stamp_ms, 30))) < NS // 2


def test_a_camera_beside_our_clock_is_not_thinned() -> None:
    """Ten pictures a second stay ten, whatever its own clock says; what a faster camera sends too many is counted."""
    limit = RateLimit(10)
    assert all(limit.wants(date_ns) for date_ns in dated(100, 84, 5)[30:])
    assert limit.thinned == 0
    twice = RateLimit(10)
    kept = sum(twice.wants(date_ns) for date_ns in dated(50, 50, 0))
    assert twice.thinned == 1200 - kept == pytest.approx(600, abs=5)


def test_stream_that_begins_anew_is_followed() -> None:
    """The camera restarts its timestamps at zero: the dates go on from the arrival."""
    clock = StreamClock()
    clock.date(500 * NS, 1_000 * NS)
    assert clock.date(0, 1_001 * NS) == 1_001 * NS
    assert clock.date(None, 1_002 * NS) == 1_002 * NS


@given(rate=st.floats(1, 120), fps=st.floats(1, 120), jitter=st.floats(0, 0.1))
def test_rate_is_kept_below_the_wanted_one_and_a_slower_stream_is_left_alone(rate: float, fps: float, jitter: float) -> None:
    """Over many pictures no more than `fps` a second pass; what is slower passes whole, with rounded times too."""
    limit = RateLimit(fps)
    times = [round((n + (n * 37 % 10) / 10 * jitter) * NS / rate) for n in range(400)]
    kept = sum(limit.wants(t) for t in times)
    most = min(400.0, 400 / rate * fps)
    assert kept <= most + 3
    assert kept >= 0.85 * most - 2
    if rate <= fps * 0.9:
        assert kept == 400


def test_a_codec_that_hides_what_it_lost_is_taken_over_tcp_alone() -> None:
    """H.265 and MPEG-4 over UDP are refused, with what to do; H.264 and MJPEG say what is damaged."""
    for codec in ("hevc", "mpeg4"):
        check_transport("tcp", codec)
        with pytest.raises(CameraError, match=f"{codec} over UDP") as caught:
            check_transport("udp", codec)
        assert "tcp" in caught.value.remedy
    check_transport("udp", "h264", "mjpeg")
