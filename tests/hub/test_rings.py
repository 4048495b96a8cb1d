"""What a hub that rings at news of severity alarm hears of a node that starts with all in order."""

from __future__ import annotations

from pathlib import Path

from tests.support.town import running_town


def test_a_start_with_all_in_order_rings_nowhere(tmp_path: Path) -> None:
    """States of class alarm are told at every start, all of them all-clears; only the first start of all is news."""
    rung: list[list[str]] = []
    known: set[str] = set()
    for _ in range(2):
        with running_town(tmp_path) as town:
            heard = town.hub.wait_for(
                lambda heard: any("SigningFailure" in h.topic for h in heard) and any("ImageTooDark" in h.topic for h in heard),
                60,
            )
        live = [h for h in heard if not h.retain and "restated" not in h.properties and "/onvif-ej/" in h.topic]
        fresh = [h for h in live if h.event_id not in known]
        known |= {h.event_id for h in live}
        told = [h.topic for h in fresh if h.properties["class"] == "alarm"]
        news = [h for h in fresh if h.properties["severity"] == "alarm" and h.properties["edge"] in ("began", "happened")]
        assert len(told) > 3, told
        rung.append([h.topic.rpartition("onvif-ej/")[2].partition("/&")[0] for h in news])
    assert rung == [["Monitoring/vigie:OutboxEpoch"], []]
