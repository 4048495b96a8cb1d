"""A small picture beside an event, as the centre gets it from a whole node: masked, bounded, and told which event it is of."""

from __future__ import annotations

from pathlib import Path

from tests.support.independent_hub import Heard
from tests.support.private_look import JPEG_TOLERANCE, jpeg_deviation
from tests.support.town import running_town

MOST_BYTES = 32 * 1024
OFTEN = "min_area = 0.01\nhold_seconds = 0"
"""Only what is near counts as motion, and it ends at once: on a square where somebody always walks it begins again and again."""


def stills(heard: list[Heard]) -> list[Heard]:
    """What came on the stills' own topic."""
    return [h for h in heard if h.topic.startswith("vigie/pole-7/still/")]


def beginnings(heard: list[Heard]) -> list[Heard]:
    """Motion that began, as events."""
    told = [h for h in heard if "/onvif-ej/VideoSource/MotionAlarm" in h.topic]
    return [h for h in told if b'"State":true' in h.payload.replace(b" ", b"")]


def test_motion_brings_a_masked_still_that_names_its_event(tmp_path: Path) -> None:
    """An independent subscriber hears event and still, and looks: grey where the private windows are, life elsewhere."""
    with running_town(tmp_path, "event_stills = true", OFTEN) as town:
        heard = town.hub.wait_for(lambda heard: len(stills(heard)) >= 2, 120)
        town.hub.wait_for(lambda heard: len(beginnings(heard)) >= 2, 60)
        ids = {h.event_id for h in beginnings(town.hub.heard)}
        polygons = town.node.polygons
    for still in stills(heard):
        about = still.properties["still-of"]
        assert still.topic == f"vigie/pole-7/still/{about}"
        assert about in ids
        assert not still.retain
        assert len(still.payload) <= MOST_BYTES
        assert jpeg_deviation(still.payload, polygons) <= JPEG_TOLERANCE
    shifted = [tuple((x, y + 0.4) for x, y in polygon) for polygon in polygons]
    assert jpeg_deviation(stills(heard)[0].payload, shifted) > 2 * JPEG_TOLERANCE, "the look at the masks must be able to fail"


def test_without_the_key_no_picture_leaves_beside_an_event(tmp_path: Path) -> None:
    """Off by default: motion is told, nothing comes on the stills' topic; a reload turns them on."""
    with running_town(tmp_path, motion=OFTEN) as town:
        town.hub.wait_for(lambda heard: len(beginnings(heard)) >= 2, 120)
        assert not stills(town.hub.heard)
        config = town.node.config
        config.write_text(config.read_text().replace("[mqtt]\n", "[mqtt]\nevent_stills = true\n"))
        assert town.ask("reload", "technician")["ok"]
        town.hub.wait_for(lambda heard: len(stills(heard)) >= 1, 120)
