"""The search for leaks: attempts can be replayed, a guard that lies is found out, and the search goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.picture.cover import Cover, ViewState
from agent.picture.frame import RawFrame
from agent.view.cover_geometry import CoverGeometry
from agent.view.pose import HOME
from agent.view.reference import working_frame
from bench import adversary, sequence
from bench.adversary import Hunt, Tried
from bench.attempt import EVENT, GENES, attempt
from bench.disturbance import Grain, Stage
from bench.disturbance_attempts import FOUND
from bench.disturbance_kinds import KINDS
from bench.scene import WIDTH, drawn_square


def test_every_string_of_bytes_is_an_attempt() -> None:
    """Whatever the search makes up can be filmed; the same bytes make the same pictures."""
    rng = np.random.default_rng(5)
    scene = drawn_square()
    for genome in [bytes(GENES), b"\xff" * GENES, *(rng.bytes(GENES) for _ in range(200))]:
        attempt(genome, 480)
    for genome in [bytes(GENES), b"\xff" * GENES, *(rng.bytes(GENES) for _ in range(6))]:
        first, second = (attempt(genome, scene.height).disturbance for _ in range(2))
        grain = Grain(1)
        for n in (0, 16, 20, 60):
            assert np.array_equal(first.picture(scene, n, grain), second.picture(scene, n, grain))
            weights = [sum(share for share, _ in slab.exposed) for slab in first.slabs(n)]
            assert np.allclose(weights, 1)


class Fixed:
    """A guard that always says the same, as if nothing ever moved."""

    def __init__(self, polygons: Any, height: int) -> None:
        geometry = CoverGeometry([np.array(p) for p in polygons], working_frame(WIDTH, height), sequence.MARGIN)
        self._cover = geometry.cover([HOME], 0.0, ViewState.VERIFIED, 0.0, 0.0)

    def observe(self, frame: RawFrame) -> Cover:
        return self._cover


def test_a_guard_that_lies_is_found_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Against masks that do not follow the search finds leaks at once, and each can be replayed from what it prints."""
    monkeypatch.setattr(sequence, "commissioned", lambda scene, _, __, polygons, *___, **____: Fixed(polygons, scene.height))
    state = tmp_path / "state.jsonl"
    told = adversary.run({"scene": "drawn-1", "with": "plain", "attempts": 12, "state": str(state), "seed": 2})
    assert told["leaks"] >= 3  # type: ignore[operator]
    worst = told["best"][0]  # type: ignore[index]
    again = adversary.run({"replay": f"drawn-1/{worst['genome']}", "with": "plain"})["best"][0]  # type: ignore[index]
    assert (again["leaked"], again["leak_frames"]) == (worst["leaked"], worst["leak_frames"])
    more = adversary.run({"scene": "drawn-1", "with": "plain", "attempts": 2, "state": str(state), "seed": 2})
    assert more["attempts"] == 14


def test_the_search_climbs() -> None:
    """With a score that rewards one gene the attempts come nearer and nearer."""
    hunt = Hunt(["drawn-1"], 3, "plain", [])
    steps = hunt.attempts(600)
    for view, genome, wrapping in steps:
        hunt.take(Tried(view, genome, wrapping, slack_px=255.0 - bytes.fromhex(genome)[7] + sum(bytes.fromhex(genome)[:4]) / 4))
    scores = [each.score for each in hunt.tried]
    assert np.mean(scores[-100:]) > np.mean(scores[:100]) + 60


def test_the_slack_is_what_a_mask_reaches_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a camera that stands still under masks that stay the slack is their margin, in pixels."""
    monkeypatch.setattr(sequence, "commissioned", lambda scene, _, __, polygons, *___, **____: Fixed(polygons, scene.height))
    still = bytes(GENES)
    result = adversary.tried("drawn-1", still.hex(), "plain")
    assert result.leaked == 0
    assert sequence.MARGIN * WIDTH - 2 < result.slack_px < sequence.MARGIN * WIDTH + 6


def test_what_was_found_is_a_kind_of_the_corpus() -> None:
    """Each found attempt gives sequences that resemble it and differ from each other."""
    scene = drawn_square()
    for name, genome in FOUND.items():
        kind = KINDS[f"attempt: {name}"]
        assert kind.events == (EVENT, EVENT + 1)
        near, found = [], attempt(bytes.fromhex(genome), scene.height).disturbance.slabs(EVENT + 20)[0].exposed[0][1]
        for seed in range(6):
            made = kind.build(Stage(np.random.default_rng(seed), scene.height, EVENT))
            near.append(made.slabs(EVENT + 20)[0].exposed[0][1])
        assert len({each.tobytes() for each in near}) > 1
        assert min(np.abs(each[:2, 2] - found[:2, 2]).max() for each in near) < 25
