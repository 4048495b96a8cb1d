"""Benchmarks run for whoever has no footage, and measure what they say they measure."""

from __future__ import annotations

import stat
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

from agent.node.drivers import drawn_windows
from bench import film
from bench.process import measure


@pytest.fixture
def no_footage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the real film; its cache directory."""
    monkeypatch.setattr(film, "footage", lambda: None)
    monkeypatch.setattr(film, "SECONDS", 1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "vigie-bench"


def test_without_footage_the_film_shows_the_drawn_square(no_footage: Path) -> None:
    """1080p25 of a view that can be guarded, with masks on its own windows; it lies where only this user writes."""
    made = film.film_1080p25()
    with av.open(str(made)) as opened:
        stream = opened.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (1920, 1080, Fraction(25))
        assert sum(1 for _ in opened.decode(video=0)) == 25
    assert set(film.masks()) == set(drawn_windows())
    assert made.parent == no_footage
    assert stat.S_IMODE(no_footage.stat().st_mode) == 0o700
    assert film.film_1080p25() == made


def test_what_is_measured_is_the_process_itself(tmp_path: Path) -> None:
    """Ended by Ctrl-C after its time, and its memory is its own: 64 MB held are seen."""
    held = "import time; held = bytearray(b'x') * 64_000_000\ntry: time.sleep(60)\nexcept KeyboardInterrupt: pass"
    cost = measure([sys.executable, "-c", held], tmp_path / "log", for_s=1.5)
    assert cost.code == 0
    assert cost.peak_rss_bytes > 64_000_000
