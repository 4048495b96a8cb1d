"""The uplink under faults, judged by an independent hub: a short run of every scenario of `vigie bench faults`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.faults import SCENARIOS
from tests.support import parts
from tests.support.fault_scene import Scene
from tests.support.independent_hub import Heard, judge

NEEDS_ROOT = {"cut", "full-disk"}


@pytest.mark.lane("uplink-faults")
@pytest.mark.parametrize("name", list(SCENARIOS))
def test_nothing_is_lost_confused_or_unexplained(name: str, tmp_path: Path) -> None:
    """Zero alarms lost, order kept per class, duplicates foldable, every drop announced."""
    parts.program("mosquitto", "mosquitto")
    if name in NEEDS_ROOT:
        parts.root()
        parts.program("ip", "iproute2")
    verdict = SCENARIOS[name](Scene(tmp_path, seed=7, kills=6, events=3000))
    assert verdict.sound, verdict
    assert verdict.returned_late == 0, verdict
    assert verdict.alarms > 50
    assert (verdict.dropped > 0) == (name == "outage-full")


def heard(sequence: int, priority: str = "alarm", *, event_id: str = "", payload: bytes = b"", topic: str = "t") -> Heard:
    """A message as the hub writes it down."""
    properties = {"event-id": event_id or f"id{sequence}", "sequence": str(sequence), "class": priority}
    return Heard(topic, payload or b'{"Data":{"Number":%d}}' % sequence, False, 1, properties, 0)


SOUND = [heard(n) for n in range(1, 6)]


@pytest.mark.parametrize(
    ("wrong", "figure"),
    [
        (SOUND[:2] + SOUND[3:], "alarms_lost"),
        (SOUND[:2] + SOUND[3:], "unaccounted"),
        ([SOUND[1], SOUND[0], *SOUND[2:]], "out_of_order"),
        ([*SOUND, replace(SOUND[2], payload=b'{"Data":{"Number":9}}')], "unfoldable"),
        ([*SOUND, heard(3, event_id="another")], "unfoldable"),
    ],
)
def test_the_judge_sees_every_fault(wrong: list[Heard], figure: str) -> None:
    """A lost, a disordered, an altered, a doubly numbered event: each makes the verdict unsound."""
    assert judge(SOUND, {1, 2, 3, 4, 5}).sound
    verdict = judge(wrong, {1, 2, 3, 4, 5})
    assert getattr(verdict, figure) == 1
    assert not verdict.sound


def test_the_judge_tells_what_was_given_again_late_from_disorder() -> None:
    """What the broker marks as given again may follow later ones, and is counted; unmarked it is out of order."""
    late = [SOUND[0], SOUND[3], *(replace(one, again=True) for one in SOUND[1:3]), SOUND[4]]
    verdict = judge(late, {1, 2, 3, 4, 5})
    assert (verdict.returned_late, verdict.out_of_order, verdict.sound) == (2, 0, True)
    verdict = judge([replace(one, again=False) for one in late], {1, 2, 3, 4, 5})
    assert (verdict.returned_late, verdict.out_of_order, verdict.sound) == (0, 1, False)
    verdict = judge([replace(one, again=True) for one in SOUND], {1, 2, 3, 4, 5})
    assert (verdict.returned_late, verdict.out_of_order, verdict.sound) == (0, 0, True)


def test_the_judge_folds_duplicates_and_excuses_announced_drops() -> None:
    """What comes twice alike is no fault, nor is what the node said it dropped; one more missing than it said is."""
    told = heard(6, topic="x/vigie:EventsDropped/&property/space", payload=b'{"Data":{"Count":2,"First":2,"Last":4}}')
    without = [SOUND[0], SOUND[2], SOUND[2], SOUND[4], told]
    verdict = judge(without, {1, 3, 5})
    assert verdict.sound
    assert (verdict.duplicates, verdict.dropped) == (1, 2)
    assert judge([SOUND[0], SOUND[4], told], {1, 5}).unaccounted == 1
