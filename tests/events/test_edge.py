"""What is news and what is a state said again: an operator is called for the first alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.events.edge import Edge, Edges, Severity, is_so, severity_of
from agent.ports.event import Event, Priority, PropertyOperation

CHANGED = PropertyOperation.CHANGED


def state(now: bool, topic: str = "VideoSource/SignalLoss", priority: Priority = Priority.ALARM) -> Event:
    """A state, told."""
    return Event(topic, 1, {"Source": "front"}, {"State": now}, CHANGED, priority)


def test_eight_all_clears_at_a_start_are_no_alarm() -> None:
    """Every state of class alarm, told false as the daemon begins to know it."""
    edges = Edges([])
    told = [state(False, f"Device/vigie:State{n}") for n in range(8)]
    assert {(edge := edges.next(event), severity_of(event, edge)) for event in told} == {(Edge.STATED, Severity.INFO)}


def test_an_alarm_that_stood_before_the_restart_is_one_and_no_news() -> None:
    """The daemon restarts while the signal is lost: said again; then it ends, and that is news of no alarm."""
    edges = Edges([state(True)])
    again, over = edges.next(state(True)), edges.next(state(False))
    assert (again, severity_of(state(True), again)) == (Edge.STATED, Severity.ALARM)
    assert (over, severity_of(state(False), over)) == (Edge.ENDED, Severity.INFO)


def test_a_closed_picture_is_an_alarm_though_it_says_so_in_words() -> None:
    """PrivacyMask has no truth value; at a start that finds it closed it begins."""
    closed = Event("VideoSource/vigie:PrivacyMask", 1, {}, {"State": "opaque"}, PropertyOperation.INITIALIZED, Priority.ALARM)
    edge = Edges([]).next(closed)
    assert (edge, severity_of(closed, edge)) == (Edge.BEGAN, Severity.ALARM)


def test_motion_is_worth_a_line_and_an_occurrence_is_what_its_class_is() -> None:
    """Neither rings; what merely happens in class alarm does."""
    moved = state(True, "VideoSource/MotionAlarm", Priority.PROPERTY)
    assert severity_of(moved, Edges([]).next(moved)) is Severity.NOTICE
    for priority, severity in ((Priority.ALARM, Severity.ALARM), (Priority.PROPERTY, Severity.NOTICE)):
        event = Event("Monitoring/vigie:X", 1, {}, {"Count": 3}, None, priority)
        edge = Edges([]).next(event)
        assert (edge, severity_of(event, edge)) == (Edge.HAPPENED, severity)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([True, False, None]), st.booleans()), max_size=30))
def test_began_and_ended_alternate(told: list[tuple[str, bool | None, bool]]) -> None:
    """For each state, whatever is told, withdrawn or restarted in between: a hub that counts edges knows what stands."""
    edges = Edges([])
    last: dict[str, Event] = {}
    standing: dict[str, bool] = {}
    for topic, now, restart in told:
        if restart:
            edges = Edges(last.values())
        event = (
            state(bool(now), topic) if now is not None else Event(topic, 1, {"Source": "front"}, {}, PropertyOperation.DELETED)
        )
        edge = edges.next(event)
        before = standing.get(topic, False)
        expected = {True: Edge.BEGAN, False: Edge.ENDED}[is_so(event)] if is_so(event) != before else Edge.STATED
        assert edge is (Edge.WITHDRAWN if now is None else expected)
        standing[topic] = is_so(event)
        last.pop(topic, None) if now is None else last.update({topic: event})
