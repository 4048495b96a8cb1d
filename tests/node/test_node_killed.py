"""A whole node killed at random instants, as a power cut or the kernel would."""

from __future__ import annotations

from pathlib import Path

from bench.crash import crash


def test_nothing_acknowledged_or_recorded_is_lost_by_kill_9(tmp_path: Path) -> None:
    """Every segment plays, disk and catalog agree, and the centre has every event that does not still wait.

    A few instants here; `vigie bench crash --kills 50` takes more.
    """
    metrics = crash(tmp_path, kills=4, seed=7)
    assert metrics["segments_that_do_not_play"] == 0
    assert metrics["catalog_disagrees"] == 0
    assert metrics["events_lost"] == 0
    assert metrics["events"] > 10
    assert metrics["pictures"] > 50
