"""Every feature has moved in whole: keys, health, topics and verbs each have one owner, and what is told as in force is."""

from __future__ import annotations

import typing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.analytics import motion
from agent.analytics.feature import KINDS, AnalyticsFeature
from agent.base.component import Component
from agent.base.feature import Feature
from agent.board.feature import BoardFeature
from agent.config.fields import Section
from agent.config.load import load
from agent.config.model import Config
from agent.events.feature import EventsFeature
from agent.node.house import House
from agent.node.node import Node
from agent.node.wiring import FEATURES, build
from agent.operations.verbs import VERBS
from agent.ports.event import Event, PropertyOperation
from agent.ports.health import Health
from agent.recording.feature import RecordingFeature
from agent.signing.feature import SigningFeature
from agent.signing.link import Link
from agent.stream.privacy_feature import PrivacyFeature
from agent.uplink.feature import UplinkFeature
from agent.uplink.health_feature import HealthFeature
from tests.support.configuration import configured

BASE = """\
[node]
id = "pole-7"
state_dir = "state"
[camera]
driver = "synthetic"
[mqtt]
url = "mqtt://127.0.0.1:1"
[console]
enabled = false
"""


def key_names(section: type[Section] = Config, at: str = "") -> Iterator[str]:
    """Every dotted key that the model knows; what stands below a key of a section changes with it."""
    for name, kind in typing.get_type_hints(section).items():
        tables = [each for each in (kind, *typing.get_args(kind)) if isinstance(each, type) and issubclass(each, Section)]
        if tables and not at:
            yield from key_names(tables[0], f"{name}.")
        else:
            yield at + name


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node put together of its real parts, none of which runs."""
    path = tmp_path / "config.toml"
    path.write_text(BASE)
    made = build(load(path), path)
    yield made
    made.lock.give_back()
    made.house.find(RecordingFeature).catalog.close()


def reloaded(node: Node, tmp_path: Path, tables: str) -> None:
    """SIGHUP with more in the file."""
    path = tmp_path / "config.toml"
    text = path.read_text()
    for line in tables.splitlines():
        if line.startswith("[") and not line.startswith("[[") and line in text:
            text = text.replace(line, tables, 1)
            break
    else:
        text += tables
    path.write_text(text)
    node._reload.apply()
    assert node.in_force.fault == ""


def test_every_key_has_a_feature_that_answers_for_it(node: Node) -> None:
    """A key that nobody answers for would be read, checked, shown, and change nothing."""
    assert [key for key in key_names() if node.house.owner(key) is None] == []


def test_no_feature_answers_for_a_key_that_does_not_exist(node: Node) -> None:
    """A key renamed in the model alone leaves its owner behind."""
    known = {*key_names(), *(key.partition(".")[0] for key in key_names())}
    claimed = [key for feature in node.house for key in (*feature.keys, *(k for s in feature.settings() for k in s.keys))]
    assert set(claimed) <= known


def test_every_part_of_health_has_one_owner(node: Node) -> None:
    """All that the document holds but who, when and which version."""
    filled = Counter(part for feature in node.house for part in feature.health())
    assert filled == Counter(set(Health.__struct_fields__) - {"node", "at", "uptime_s", "version"})


def test_every_verb_is_offered_once(node: Node) -> None:
    """What the table of verbs promises somebody does."""
    assert Counter(operation.verb.name for operation in node.house.operations()) == Counter(list(VERBS))


def board_limit(node: Node) -> object:
    """What the next reading is judged by."""
    return node.house.find(BoardFeature)._monitor._watch.limits.temperature_critical_c


def detector(node: Node, section: str) -> object:
    """The one that goes by this section; None while the section switches it off."""
    return node.house.find(AnalyticsFeature).detectors._running[[kind.section for kind in KINDS].index(section)]


IN_FORCE: dict[str, tuple[str, Callable[[Node], Any]]] = {
    "privacy": (
        '[[privacy.mask]]\nname = "a"\npolygon = [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]\n',
        lambda node: node.house.find(PrivacyFeature).health()["privacy"].masks,
    ),
    "motion": ("[motion]\nenabled = false\n", lambda node: detector(node, "motion")),
    "tampering": ("[tampering]\nenabled = false\n", lambda node: detector(node, "tampering")),
    "recording.retention_days": (
        "[recording]\nretention_days = 7\n",
        lambda node: node.house.find(RecordingFeature)._sweeper._retention,
    ),
    "recording.min_free_mb": (
        "[recording]\nmin_free_mb = 7\n",
        lambda node: node.house.find(RecordingFeature)._sweeper._retention,
    ),
    "mqtt": ('[mqtt]\nusername = "x"\n', lambda node: node.house.find(UplinkFeature).session),
    "mqtt.health_seconds": (
        "[mqtt]\nhealth_seconds = 3\n",
        lambda node: node.house.find(HealthFeature).publisher.interval_s,
    ),
    "mqtt.event_stills": (
        "[mqtt]\nevent_stills = true\n",
        lambda node: node.house.find(AnalyticsFeature).illustrator._wanted(),
    ),
    "board": ("[board]\ntemperature_critical_c = 90\n", board_limit),
}
"""Each setting that a running node takes: what changes it, and where the change must be seen."""


def test_every_setting_that_is_told_as_in_force_is_looked_at_here(node: Node) -> None:
    """The next test cannot pass over a new one."""
    assert {key for feature in node.house for setting in feature.settings() for key in setting.keys} == set(IN_FORCE)


@pytest.mark.parametrize("key", IN_FORCE)
def test_what_is_told_as_in_force_is(node: Node, tmp_path: Path, key: str) -> None:
    """The part that goes by it has the new value, health names the new configuration, and nothing waits."""
    tables, read = IN_FORCE[key]
    before, digest = read(node), node.in_force.digest
    reloaded(node, tmp_path, tables)
    assert read(node) != before
    assert (node.in_force.waiting, node.in_force.digest != digest) == ((), True)
    for component in node.supervisor._started:  # another session
        component.stop()
        assert component.join(60)


@pytest.mark.parametrize("key", ["health_seconds = 3", "event_stills = true"])
def test_a_key_that_needs_no_new_session_keeps_the_old_one(node: Node, tmp_path: Path, key: str) -> None:
    """`set-health-interval` must not cost a reconnect."""
    session = node.house.find(UplinkFeature).session
    reloaded(node, tmp_path, f"[mqtt]\n{key}\n")
    assert node.house.find(UplinkFeature).session is session


def test_a_key_that_waits_leaves_the_digest_of_what_is_in_force(node: Node, tmp_path: Path) -> None:
    """Health does not name a configuration that is not in force."""
    digest = node.in_force.digest
    reloaded(node, tmp_path, "[encoding]\nbitrate_kbps = 900\n")
    assert (node.in_force.waiting, node.in_force.digest) == (("encoding.bitrate_kbps",), digest)


CHANGES: dict[str, tuple[str, str]] = {
    "motion.sensitivity": ("motion", "AnalyticsFeature"),
    "recording.retention_days": ("recording", "RecordingFeature"),
    "recording.segment_seconds": ("recording", "RecordingFeature"),
    "mqtt.prefix": ("mqtt", "UplinkFeature"),
    "mqtt.health_seconds": ("mqtt", "HealthFeature"),
    "camera.fps": ("camera", "CameraFeature"),
    "console.port": ("console", "ConsoleFeature"),
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(keys=st.sets(st.sampled_from(sorted(CHANGES))))
def test_each_change_goes_to_the_one_feature_that_answers_for_it(node: Node, keys: set[str]) -> None:
    """Any set of changes: shared out whole, none twice."""
    shares = {type(feature).__name__: own for feature, own in node.house.shares(keys).items() if own}
    assert Counter(key for own in shares.values() for key in own) == Counter(keys)
    assert all(key in shares[CHANGES[key][1]] for key in keys)


def test_a_state_that_nobody_tells_any_more_is_withdrawn(node: Node, tmp_path: Path) -> None:
    """Switched off, or of another version: it must not stand retained for ever; what is told stays."""
    outbox = node.house.find(EventsFeature).outbox
    for topic in (motion.TOPIC, "VideoSource/vigie:OfAnotherVersion", "VideoSource/SignalLoss"):
        outbox.raise_event(Event(topic, 1, {"Source": "pole-7"}, {"State": True}, PropertyOperation.CHANGED))
    outbox.write_once()
    reloaded(node, tmp_path, "[motion]\nenabled = false\n")
    outbox.write_once()
    standing = {event.topic for event in outbox.standing()}
    assert "VideoSource/SignalLoss" in standing
    assert standing.isdisjoint({motion.TOPIC, "VideoSource/vigie:OfAnotherVersion"})


def test_a_signed_node_that_ended_in_order_starts_again(node: Node, tmp_path: Path) -> None:
    """Its signer takes up the chain that was left, and asks when the last footage ends before anything runs."""
    path = tmp_path / "config.toml"
    signer = node.house.find(SigningFeature).signer
    assert signer is not None
    signer._links.leave(Link(7, bytes(32), 1, b"signature"))
    node.lock.give_back()
    again = build(load(path), path)
    again.lock.give_back()
    again.house.find(RecordingFeature).catalog.close()
    assert not (tmp_path / "state" / "signing.json").exists()


class Stray(Feature[Config]):
    """Stands on no list."""


def test_a_feature_that_is_made_and_not_listed_is_found_at_the_start(node: Node) -> None:
    """And one that is listed and not made."""
    with pytest.raises(TypeError, match="Stray"):
        House(FEATURES).move_in([*node.house, Stray()])
    with pytest.raises(TypeError, match="BoardFeature"):
        House(FEATURES).move_in([feature for feature in node.house if not isinstance(feature, BoardFeature)])


def test_two_features_cannot_claim_the_same(node: Node) -> None:
    """A key of two features would be told as in force by one and forgotten by the other."""

    class Greedy(Feature[Config]):
        keys = ("board",)

    with pytest.raises(TypeError, match="key board"):
        House((*FEATURES, Greedy)).move_in([*node.house, Greedy()])


def test_two_features_cannot_tell_one_figure_or_run_one_name(node: Node) -> None:
    """Both are merged by name: the second would hide the first, and a dead part behind a running one."""

    class Namesake(Feature[Config]):
        def components(self) -> Sequence[Component]:
            return node.house.find(HealthFeature).components()

        def summary(self) -> Mapping[str, Any]:
            return {"recorded": 0}

    with pytest.raises(TypeError, match=r"(?=.*summary recorded)(?=.*component health)"):
        House((*FEATURES, Namesake)).move_in([*node.house, Namesake()])


def test_the_default_configuration_waits_for_nothing(node: Node) -> None:
    """The same configuration twice."""
    config = configured({"node": {"id": "a"}, "camera": {"driver": "synthetic"}})
    assert node.house.waiting(config, config) == ()
