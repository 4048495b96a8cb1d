"""kill -9 while really encoding, recording, holding and sweeping. `vigie bench recording --kills 200` runs the long one."""

from __future__ import annotations

from pathlib import Path

from bench.recording_kill import kill_many


def test_kills_at_random_instants_lose_nothing_acknowledged(tmp_path: Path) -> None:
    """After each kill: every acknowledged picture plays, catalog and disk agree, holds and register are intact."""
    toll = kill_many(tmp_path / "state", kills=8, seed=11, latest_s=1.2)
    assert toll.faults == []
    assert (toll.kills, toll.lost) == (8, 0)
    assert toll.acknowledged > 20
