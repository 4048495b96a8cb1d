"""The reload plan: what a running daemon can take at once, and what must wait."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.config.reload import Part, plan
from tests.support.configuration import configured

BASE: dict[str, Any] = {"node": {"id": "a"}, "camera": {"driver": "synthetic"}, "mqtt": {"url": "mqtt://hub"}}
MASK = {"name": "a", "polygon": [[0, 0], [1, 0], [1, 1]]}
TWO_MASKS = [MASK, {**MASK, "name": "b"}]

CHANGES: dict[str, tuple[dict[str, Any], Part | None]] = {
    "privacy.mask": ({"privacy": {"mask": TWO_MASKS}}, Part.PRIVACY),
    "motion.sensitivity": ({"motion": {"sensitivity": 0.9}}, Part.MOTION),
    "tampering.enabled": ({"tampering": {"enabled": False}}, Part.TAMPERING),
    "recording.retention_days": ({"recording": {"retention_days": 7}}, Part.RETENTION),
    "mqtt.prefix": ({"mqtt": {"url": "mqtt://hub", "prefix": "x"}}, Part.MQTT),
    "camera.fps": ({"camera": {"driver": "synthetic", "fps": 10}}, None),
    "encoding.bitrate_kbps": ({"encoding": {"bitrate_kbps": 900}}, None),
    "console.port": ({"console": {"port": 1}}, None),
    "board.temperature_critical_c": ({"board": {"temperature_critical_c": 90}}, Part.BOARD),
}


@given(st.sets(st.sampled_from(sorted(CHANGES))))
def test_exactly_what_changed_is_planned(keys: set[str]) -> None:
    """Any set of changes: each goes to its own part or waits, nothing else is touched, and the words name every key."""
    merged = dict(BASE)
    for key in keys:
        merged |= CHANGES[key][0]
    found = plan(configured(BASE), configured(merged))
    assert {change.key: change.part for change in found.changes} == {key: CHANGES[key][1] for key in keys}
    assert found.apply == {part for key in keys if (part := CHANGES[key][1])}
    assert set(found.restart) == {key for key in keys if CHANGES[key][1] is None}
    assert all(key in "\n".join(found.words) for key in keys)


def test_the_health_interval_alone_leaves_the_session_open() -> None:
    """`set-health-interval` must not cost a reconnect."""
    changed = {**BASE, "mqtt": {"url": "mqtt://hub", "health_seconds": 3}}
    found = plan(configured(BASE), configured(changed))
    assert found.apply == {Part.HEALTH}


def test_stills_alone_leave_the_session_open() -> None:
    """The next event goes by it; nothing is reconnected."""
    changed = {**BASE, "mqtt": {"url": "mqtt://hub", "event_stills": True}}
    found = plan(configured(BASE), configured(changed))
    assert found.apply == {Part.STILLS}


def test_a_broker_that_comes_or_goes_is_one_part() -> None:
    """[mqtt] taken out, or put in, is the uplink's business alone."""
    without = {key: value for key, value in BASE.items() if key != "mqtt"}
    for old, new in ((BASE, without), (without, BASE)):
        found = plan(configured(old), configured(new))
        assert Part.MQTT in found.apply
        assert not found.restart
