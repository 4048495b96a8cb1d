"""Somebody sets the clock while a node records, or it was never set: the films stay what they are."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.base.clock import NS, ClockQuality
from agent.evidence.report import Verdict
from agent.evidence.verification import verify
from bench.clocked_node import ClockedNode, Stream
from bench.fitful_camera import pattern, steady

STREAM = Stream(10, 1, 7, None)
STEPS_S = (-86_400 * 2, -3600 * 5, -2, -0.6, -0.3, 0.3, 0.7, 5, 3600 * 3)


def set_clock(node: ClockedNode, by_s: float) -> None:
    """The wall alone, as NTP or a hand does."""
    now = datetime.fromtimestamp(node.clock.wall_ns() / NS, UTC)
    node.clock.step_wall(now + timedelta(seconds=by_s))


def assert_honest(node: ClockedNode) -> None:
    """Every segment and the whole export authentic to the last picture, and nothing told as lost."""
    anchors = node.identity.anchors()
    for row in node.rows():
        report = verify(row.path, anchors)
        assert (report.verdict, report.pending) == (Verdict.AUTHENTIC, 0), f"{row.path.name}: {report.reason}"
        assert report.authentic == row.frames
    exported = node.export(-4e9, 4e9)
    report = verify(exported.film, anchors)
    assert (report.verdict, report.pending) == (Verdict.AUTHENTIC, 0), report.reason
    assert report.authentic == sum(row.frames for row in node.rows())
    assert report.seal is not None
    assert report.seal.intact, report.seal.error
    assert node.faults == []


@pytest.mark.parametrize("seed", range(8))
def test_no_step_of_the_clock_costs_a_signature(tmp_path: Path, seed: int) -> None:
    """Forwards and backwards, synchronised or not, under a camera that pauses, over a restart."""
    chance = random.Random(seed)
    node = ClockedNode(tmp_path)
    for _ in range(2):
        with node.filming(STREAM, chance.uniform(1, 9)) as camera:
            for _ in range(4):
                set_clock(node, chance.choice(STEPS_S))
                node.clock.clock_quality = chance.choice(list(ClockQuality))
                pictures = steady(10, chance.uniform(0.5, 6)) if chance.random() < 0.6 else pattern(seed, 10, 5)
                camera.go_on(STREAM.film(), 10, pictures)
                node.clock.advance(0.1)
    assert_honest(node)


@pytest.mark.parametrize("steps_s", [(-1_780_000_000,), (-1_780_000_000, 1_780_000_000), (-1_780_000_000, 1_814_560_000)])
def test_a_clock_that_was_never_set_accuses_nobody(tmp_path: Path, steps_s: tuple[int, ...]) -> None:
    """The battery is empty, it is 1970 and then now or a year from now: authentic, and its dates are said to be worth nothing."""
    node = ClockedNode(tmp_path)
    with node.filming(STREAM, 3) as camera:
        for step_s in steps_s:
            set_clock(node, step_s)
            node.film(camera, STREAM, 4)
    assert_honest(node)
    notes = [" ".join(verify(row.path, node.identity.anchors()).notes) for row in node.rows()]
    assert ["before the clock was set" in each for each in notes] == [False, True, False][: len(notes)]
