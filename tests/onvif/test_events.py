"""Pull points: the same events as by MQTT, states first, few at once, and none for longer than lease and client last."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.onvif.duration import seconds_of
from agent.onvif.fault import SoapFault
from agent.onvif.notification import topic_set
from agent.onvif.pull_point import MOST_WAITING, PullPoint
from agent.onvif.pull_points import MOST_OF_ONE, PullPoints
from agent.onvif.standing_states import StandingStates
from agent.onvif.topic_filter import TopicFilter
from agent.ports.event import Event, PropertyOperation
from agent.stream.broadcast import Broadcast
from tests.support.deadline import until
from tests.support.manual_clock import ManualClock
from tests.support.onvif_house import MOTION, TOPICS, OnvifHouse, soap, username_token
from tests.support.small_gate import SmallGate

LOST = "vigie:Evidence/SignatureLost"


def points_of(house: OnvifHouse) -> PullPoints:
    """Those that stand at its door."""
    assert house.feature.parts is not None
    return house.feature.parts.door.points


def point_of(house: OnvifHouse) -> PullPoint:
    """The only one."""
    (point,) = points_of(house)._standing.values()
    return point


@pytest.fixture
def moving(fresh: OnvifHouse) -> Iterator[OnvifHouse]:
    """Something moves already, and no other pull point stands."""
    points_of(fresh).close_all()
    fresh.raise_motion(True)
    yield fresh
    points_of(fresh).close_all()


def items(text: str) -> list[tuple[str, str]]:
    """What each message says of itself: its operation, and its first datum."""
    told = []
    for message in ElementTree.fromstring(text).iter("{http://www.onvif.org/ver10/schema}Message"):
        values = [each.get("Value", "") for each in message.iter("{http://www.onvif.org/ver10/schema}SimpleItem")]
        told.append((message.get("PropertyOperation", ""), values[-1]))
    return told


def test_a_pull_point_is_told_every_state_and_then_what_changes(moving: OnvifHouse) -> None:
    """Initialized first; then as it is raised, with the names of MQTT."""
    path = moving.subscribe()
    first = moving.pull(path)
    assert items(first.text) == [("Initialized", "true")]
    assert first.says("Topic") == [f"tns1:{MOTION}"]
    moving.raise_motion(False)
    moving.outbox.raise_event(Event(LOST, moving.clock.wall_ns(), {"Token": "pole-7"}, {"What": 'a <b> & "c"'}))
    second = moving.pull(path)
    assert items(second.text) == [("Changed", "false"), ("", 'a <b> & "c"')]
    assert second.says("Topic")[1] == LOST
    moving.ask("event", "SetSynchronizationPoint", at=path)
    assert items(moving.pull(path).text) == [("Initialized", "false")]
    assert moving.ask("subscription", "Unsubscribe", at=path).status == 200
    assert "ResourceUnknownFault" in moving.pull(path).text


def test_a_pull_waits_for_what_comes_and_its_client_may_come_anew(moving: OnvifHouse) -> None:
    """The answer comes with the event; who asks a second time ends the first wait, and gets what comes."""
    path = moving.subscribe()
    moving.pull(path)
    answers: dict[str, str] = {}

    def pull(name: str) -> threading.Thread:
        was = point_of(moving)._wake
        waiting = threading.Thread(target=lambda: answers.update({name: moving.pull(path, seconds=250).text}))
        waiting.start()
        until(lambda: point_of(moving)._wake is not was, "it waits")
        return waiting

    before = pull("before")
    after = pull("after")
    before.join(60)
    assert items(answers["before"]) == []
    moving.raise_motion(False)
    after.join(60)
    assert items(answers["after"]) == [("Changed", "false")]


def test_the_end_of_the_lease_ends_whoever_waits(moving: OnvifHouse) -> None:
    """Long before the pull would have."""
    path = moving.subscribe()
    moving.pull(path)
    answers: list[str] = []
    was = point_of(moving)._wake
    waiting = threading.Thread(target=lambda: answers.append(moving.pull(path, seconds=250).text))
    waiting.start()
    until(lambda: point_of(moving)._wake is not was, "it waits")
    moving.gate.end(moving.secret.lease)
    waiting.join(60)
    assert not waiting.is_alive()
    assert "the lease is over" in answers[0]
    assert moving.feature.health()["onvif"].pull_points == 0


def test_a_pull_point_is_its_own_leases(moving: OnvifHouse) -> None:
    """Another lease, in force as well, neither fetches from it nor ends it."""
    path = moving.subscribe()
    other = moving.gate.open()
    for service, name in (("event", "PullMessages"), ("subscription", "Unsubscribe"), ("subscription", "Renew")):
        answer = moving.post(soap(service, name, "", username_token(other)), path=path)
        assert (answer.status, "ResourceUnknownFault" in answer.text) == (500, True)
    assert items(moving.pull(path).text)


def test_few_of_one_lease_and_each_ends_by_itself() -> None:
    """Without a sign of its client, after the time it was given, or a minute; a sign prolongs it by as much."""
    clock = ManualClock()
    gate = SmallGate(Broadcast())
    lease = gate.open().lease
    points = PullPoints(gate, tuple, clock)
    first = points.open(lease, TopicFilter(), 60)
    others = [points.open(lease, TopicFilter(), 600) for _ in range(MOST_OF_ONE - 1)]
    with pytest.raises(SoapFault, match="ends by itself"):
        points.open(lease, TopicFilter(), 60)
    clock.advance(50)
    points.of(lease, first.id).heard()
    clock.advance(50)
    assert points.of(lease, first.id) is first
    clock.advance(11)
    with pytest.raises(SoapFault):
        points.of(lease, first.id)
    assert points.of(lease, others[0].id)
    clock.advance(3700)
    assert points.open(lease, TopicFilter(), 1e9).left_s == 3600
    assert len(points) == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=1200), st.lists(st.integers(1, 300), max_size=8))
def test_who_fetches_too_slowly_still_ends_with_the_truth(raised: list[tuple[str, bool]], fetches: list[int]) -> None:
    """After the last fetch the client's table of states is the node's, whatever was dropped; no queue passes its bound."""
    states = StandingStates(())
    point = PullPoint("p", "lease-1", TopicFilter(), states.all, ManualClock())
    table: dict[str, str] = {}

    def fetch(most: int) -> None:
        for message in point.fetch(most):
            values = message.split('Value="')
            table[values[1].partition('"')[0]] = values[2].partition('"')[0]

    each = max(1, len(raised) // (len(fetches) + 1))
    for number, (source, state) in enumerate(raised):
        event = Event(MOTION, 0, {"Source": source}, {"State": state}, PropertyOperation.CHANGED)
        states.hear(event)
        point.tell(event)
        assert len(point._waiting) <= MOST_WAITING
        if fetches and number % each == each - 1:
            fetch(fetches[(number // each) % len(fetches)])
    fetch(10_000)
    assert table == {event.source["Source"]: str(event.data["State"]).lower() for event in states.all()}


@pytest.mark.parametrize(
    ("expression", "tells", "not_told"),
    [
        ("tns1:VideoSource/MotionAlarm", [MOTION], ["VideoSource/SignalLoss", "VideoSource/MotionAlarm/Below"]),
        ("tns1:VideoSource//.", [MOTION, "VideoSource/vigie:PrivacyMask"], [LOST]),
        ("tns1:RuleEngine//.|vigie:Evidence//.", [LOST], [MOTION]),
        (" tns1:VideoSource/MotionAlarm | vigie:Evidence/SignatureLost ", [MOTION, LOST], ["VideoSource/SignalLoss"]),
    ],
)
def test_topics_are_filtered_as_onvif_names_them(expression: str, tells: list[str], not_told: list[str]) -> None:
    """One, a tree, or several."""
    wanted = TopicFilter([expression])
    assert [topic for topic in (*tells, *not_told) if wanted.tells(topic)] == tells


@pytest.mark.parametrize(
    ("inner", "fault"),
    [
        ("<e:Filter><x>a</x></e:Filter>", "InvalidFilterFault"),
        ("<e:Filter><TopicExpression>boolean(//tt:x)</TopicExpression></e:Filter>", "InvalidTopicExpressionFault"),
        ('<e:Filter><TopicExpression Dialect="urn:x">a</TopicExpression></e:Filter>', "TopicExpressionDialectUnknownFault"),
        ("<e:InitialTerminationTime>2001-01-01T00:00:00Z</e:InitialTerminationTime>", "UnacceptableInitialTerminationTimeFault"),
        ("<e:InitialTerminationTime>soon</e:InitialTerminationTime>", "InvalidArgVal"),
    ],
)
def test_a_subscription_that_cannot_be_kept_is_refused(fresh: OnvifHouse, inner: str, fault: str) -> None:
    """As WS-Notification names it, and in words."""
    answer = fresh.ask("event", "CreatePullPointSubscription", inner)
    assert answer.status in (400, 500)
    assert fault in answer.text
    assert answer.says("Text")


def test_every_topic_of_the_node_is_in_the_set() -> None:
    """Marked as a topic, with what it says; the tree is XML."""
    root = ElementTree.fromstring(f'<x xmlns:wstop="w" xmlns:tt="t" xmlns:tns1="n" xmlns:vigie="v">{topic_set(TOPICS)}</x>')
    marked = [each for each in root.iter() if each.get("{w}topic") == "true"]
    assert [each.tag for each in marked] == ["MotionAlarm", "SignatureLost"]
    assert [each[0].get("IsProperty") for each in marked] == ["true", "false"]


@pytest.mark.parametrize(
    ("told", "seconds"), [("PT1M", 60), ("P1DT1H", 90000), ("PT0.5S", 0.5), ("PT60S", 60), ("P1Y", 31536000)]
)
def test_durations_are_read(told: str, seconds: float) -> None:
    """As XML Schema writes them."""
    assert seconds_of(told) == seconds


@given(st.text(alphabet="PYMDTHS0123456789.-+ ", max_size=30))
def test_any_text_is_a_duration_or_a_fault(told: str) -> None:
    """Never anything else."""
    try:
        found = seconds_of(told)
    except SoapFault:
        return
    assert found >= 0


def test_states_of_an_earlier_life_are_told_until_they_are_withdrawn(tmp_path: Path) -> None:
    """What the outbox still has when the node begins; a deleted one is told to nobody."""
    old = Event(MOTION, 0, {"Source": "pole-7"}, {"State": True}, PropertyOperation.CHANGED)
    states = StandingStates([old])
    assert states.all() == (old,)
    states.hear(Event(MOTION, 1, {"Source": "pole-7"}, {}, PropertyOperation.DELETED))
    assert states.all() == ()
