"""What differs between two configurations."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.config.reload import changes
from tests.support.configuration import configured

BASE: dict[str, Any] = {"node": {"id": "a"}, "camera": {"driver": "synthetic"}, "mqtt": {"url": "mqtt://hub"}}
MASK = {"name": "a", "polygon": [[0, 0], [1, 0], [1, 1]]}

CHANGES: dict[str, dict[str, Any]] = {
    "privacy.mask": {"privacy": {"mask": [MASK, {**MASK, "name": "b"}]}},
    "motion.sensitivity": {"motion": {"sensitivity": 0.9}},
    "recording.retention_days": {"recording": {"retention_days": 7}},
    "mqtt.prefix": {"mqtt": {"url": "mqtt://hub", "prefix": "x"}},
    "camera.fps": {"camera": {"driver": "synthetic", "fps": 10}},
    "console.port": {"console": {"port": 1}},
}


@given(st.sets(st.sampled_from(sorted(CHANGES))))
def test_exactly_what_changed_is_named(keys: set[str]) -> None:
    """Any set of changes: each key once, with what it was and what it is, and nothing else."""
    merged = dict(BASE)
    for key in keys:
        merged |= CHANGES[key]
    found = changes(configured(BASE), configured(merged))
    assert {change.key for change in found} == keys
    assert all(str(change).startswith(f"{change.key}: ") and " -> " in str(change) for change in found)


def test_a_section_that_comes_or_goes_is_named_key_by_key() -> None:
    """[mqtt] taken out, or put in: each of its keys is not set on the one side."""
    without = {key: value for key, value in BASE.items() if key != "mqtt"}
    for old, new in ((BASE, without), (without, BASE)):
        found = changes(configured(old), configured(new))
        assert "mqtt.url" in {change.key for change in found}
        assert all(change.key.startswith("mqtt.") for change in found)
        assert all("not set" in str(change) for change in found)
