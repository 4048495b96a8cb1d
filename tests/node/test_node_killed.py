"""A whole node killed at random instants, as a power cut or the kernel would."""

from __future__ import annotations

from pathlib import Path

from bench.crash import crash


def test_nothing_acknowledged_or_recorded_is_lost_by_kill_9(tmp_path: Path) -> None:
    """Every segment plays, disk and catalog agree, and the centre has every event that does not still wait.

    A few instants here; `vigie bench crash --kills 50` takes more.
    """
    figures = crash(tmp_path, kills=4, seed=7)
    assert figures["segments_that_do_not_play"] == 0
    assert figures["catalog_disagrees"] == 0
    assert figures["events_lost"] == 0
    assert figures["events"] > 10
    assert figures["pictures"] > 50
