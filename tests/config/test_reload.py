"""What differs between two configurations."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agent.config.reload import changes
from agent.config.report import summary
from agent.ports.mqtt import BrokerEndpoint
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


def test_no_change_tells_an_address_that_lets_one_in() -> None:
    """A camera's and a broker's address whose path is the secret, changed and taken back: starred on both sides."""
    secret = "GfHxY3kQpLm2sRt9"
    own = BASE | {
        "camera": {"driver": "rtsp", "source": f"rtsp://10.0.0.9/{secret}"},
        "mqtt": {"url": f"wss://hub/{secret}"},
    }
    found = [*changes(configured(BASE), configured(own)), *changes(configured(own), configured(BASE))]
    told = " ".join(str(change) for change in found)
    assert "rtsp://10.0.0.9/****************" in told
    assert "wss://hub/****************" in told
    assert secret not in told


def test_a_brokers_address_is_shown_with_its_secret_starred() -> None:
    """As the doctor, status and health name it; the session still asks for the path itself."""
    endpoint = BrokerEndpoint.of("wss://hub/GfHxY3kQpLm2sRt9")
    assert (endpoint.url, endpoint.path) == ("wss://hub/****************", "/GfHxY3kQpLm2sRt9")
    config = configured(BASE | {"mqtt": {"url": "wss://hub/GfHxY3kQpLm2sRt9"}})
    assert "wss://hub/****************, " in summary(config)["broker"]
