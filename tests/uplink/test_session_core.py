"""The session's decisions, played through without a network. Numbers refer to docs/outbox.md."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agent.base.clock import NS, ClockQuality
from agent.events.alarms import EVENTS_DROPPED
from agent.events.row import Draft, Kind, Row, event_body
from agent.ports.event import Event, Priority
from agent.ports.mqtt import Acknowledged, BrokerEndpoint, Lost, Opened, Probed, Publication, RefusedConnection, Subscribed
from agent.uplink.aside import Told
from agent.uplink.instructions import (
    BringBack,
    Connect,
    Disconnect,
    Forget,
    GiveUp,
    Instruction,
    Probe,
    Release,
    Restate,
    Send,
    SetAside,
    Subscribe,
)
from agent.uplink.pace import Pace
from agent.uplink.phase import Phase
from agent.uplink.presence import Identity
from agent.uplink.session_core import SessionCore
from tests.support.manual_clock import ManualClock

FIRST, SECOND = BrokerEndpoint.of("mqtt://first"), BrokerEndpoint.of("mqtt://second")
ACCEPTED, NOBODY, UNWILLING, NOT_ALLOWED, TOO_LARGE, QUOTA = 0x00, 0x10, 0x83, 0x87, 0x95, 0x97


class Play:
    """A core with its clock; every instruction is kept."""

    def __init__(self, *endpoints: BrokerEndpoint, **pace: float) -> None:
        self.clock = ManualClock()
        made = replace(Pace(), **pace)
        self.core = SessionCore(Identity("n", "vigie", "1", "b"), endpoints or (FIRST,), self.clock, made, random.Random(1))

    def connect(self, granted: Opened | None = None) -> list[Instruction]:
        """Up to the moment the broker has accepted."""
        self.clock.advance(60)
        asked = self.core.tick()
        assert any(isinstance(i, Connect) for i in asked), asked
        return self.core.handle(granted or Opened(session_present=False))

    def online(self, granted: Opened | None = None) -> None:
        """Connected, the birth acknowledged by a broker somebody listens to."""
        for instruction in self.connect(granted):
            if isinstance(instruction, Send):
                self.core.handle(Acknowledged(instruction.tag, ACCEPTED))

    def quiet(self) -> None:
        """Let time do what it does, everything that goes out answered well, with nothing in the outbox."""
        for _ in range(5):
            self.acknowledge_control(self.core.tick())
            self.core.settle()

    def acknowledge_control(self, asked: Sequence[Instruction] = ()) -> None:
        """Everything that waits beside the rows goes out and is taken."""
        waiting = sends([*asked, *self.core.tick()])
        while waiting:
            waiting = sends([i for send in waiting for i in self.core.handle(Acknowledged(send.tag, ACCEPTED))])


def row(sequence: int, priority: Priority = Priority.ALARM, size: int = 10, topic: str = "T") -> Row:
    """A row as the outbox hands it out."""
    body = event_body(Event(topic, 0, {}, {"X": "x" * size}, priority=priority))
    return Row.of(Draft(f"id{sequence}", priority, Kind.EVENT, 0, ClockQuality.SYNCHRONISED, body), sequence, "e")


def sends(instructions: list[Instruction]) -> list[Send]:
    """Only what goes to the broker."""
    return [i for i in instructions if isinstance(i, Send)]


def test_birth_comes_first_then_the_full_state() -> None:
    """(11) After a connect: birth, subscriptions, and the order to send every state anew."""
    out = Play().connect()
    assert json.loads(sends(out)[0].publication.payload or b"")["state"] == "online"
    assert sends(out)[0].publication.retain
    assert [type(i) for i in out[1:]] == [Subscribe, Restate]


def test_a_repeated_birth_says_the_same_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """(10) A hub that tells connections apart by `since` must not take a repetition for another one."""
    play = Play()
    reading = count(1_800_000_000 * NS, 1_000_000)
    monkeypatch.setattr(play.clock, "wall_ns", lambda: next(reading))
    first = sends(play.connect())[0]
    play.core.handle(Acknowledged(first.tag, ACCEPTED))
    assert sends(play.core.birth())[0].publication == first.publication


def test_the_will_says_offline_after_a_delay() -> None:
    """(10) The will is retained, says offline, and waits long enough for a short hand-over."""
    play = Play()
    play.clock.advance(60)
    (connect,) = play.core.tick()
    assert isinstance(connect, Connect)
    will = connect.options.will
    assert will is not None
    assert will.retain
    assert json.loads(will.payload or b"")["state"] == "offline"
    assert connect.options.will_delay_s == 20
    assert connect.options.session_expiry_s >= connect.options.will_delay_s


def test_brokers_that_choke_on_the_kept_session_are_asked_to_forget_it() -> None:
    """(17) The old session is asked for until every broker has kept silent; once let in, the new one is asked for again."""
    play = Play(FIRST, SECOND)

    def clean_start() -> bool:
        play.clock.advance(60)
        (connect,) = play.core.tick()
        assert isinstance(connect, Connect)
        return connect.options.clean_start

    def keep_silent() -> None:
        play.clock.advance(60)
        assert play.core.tick() == [Disconnect(abruptly=True)]

    assert not clean_start()
    play.core.handle(RefusedConnection(None, "nobody listens"))
    assert not clean_start()
    keep_silent()
    assert not clean_start()
    keep_silent()
    assert clean_start()
    play.core.handle(Opened(session_present=False))
    play.core.handle(Lost(None, "gone"))
    assert not clean_start()


def test_a_will_that_comes_late_is_contradicted() -> None:
    """(10) The birth is repeated after a minute, two more, four more, then every five, always with the first one's `since`."""
    play = Play()
    (first, *_) = sends(play.connect())
    play.core.handle(Acknowledged(first.tag, ACCEPTED))
    for gap_s in (60, 120, 240, 300, 300):
        play.clock.advance(gap_s - 1)
        assert sends(play.core.tick()) == []
        due_ns = play.core.deadline_ns()
        assert due_ns is not None
        play.clock.advance(1)
        assert due_ns <= play.clock.monotonic_ns()
        (again,) = sends(play.core.tick())
        assert again.publication == first.publication
        play.core.handle(Acknowledged(again.tag, ACCEPTED))


def test_only_a_good_puback_forgets_a_row() -> None:
    """(2) Accepted: forgotten. Refused for now: kept, and offered again on a new handshake. Refused for good: given up."""
    play = Play()
    play.online()
    one, two = sends(play.core.send_rows([row(1), row(2)]))
    assert play.core.handle(Acknowledged(one.tag, ACCEPTED)) == [Forget(1)]
    assert [type(i) for i in play.core.handle(Acknowledged(two.tag, QUOTA))] == [SetAside]
    assert "quota" in play.core.health().reason
    play.clock.advance(61)
    assert play.core.tick() == []
    out = play.core.settle()
    assert out[:2] == [Disconnect(with_will=True), Release()]
    play.core.handle(Opened(session_present=True))
    (again,) = sends(play.core.send_rows([row(2)]))
    assert play.core.handle(Acknowledged(again.tag, TOO_LARGE)) == [GiveUp(2, "the message is too large for the broker (0x95)")]


def test_a_refused_topic_is_remembered_and_everything_else_goes_on() -> None:
    """(16) However many rows of one topic the access list refuses, one is offered, the others wait unsent, and others go on."""
    play = Play()
    play.online()
    (refused,) = sends(play.core.send_rows([row(1, topic="Refused")]))
    (aside,) = play.core.handle(Acknowledged(refused.tag, NOT_ALLOWED))
    assert isinstance(aside, SetAside)
    assert aside.told == Told("vigie/n/onvif-ej/Refused", aside.told.why if aside.told else "", 1)
    for sequence in range(2, 200):
        assert play.core.send_rows([row(sequence, topic="Refused")]) == [SetAside(sequence)]
        (good,) = sends(play.core.send_rows([row(1000 + sequence)]))
        assert play.core.handle(Acknowledged(good.tag, ACCEPTED)) == [Forget(1000 + sequence)]
    assert play.core.set_aside == 199
    assert play.core.room() == (20, 16)
    assert play.core.health().reason.startswith("vigie/n/onvif-ej/Refused is refused: the broker does not allow")


def test_what_rests_is_tried_once_after_ever_longer_times_until_it_is_taken() -> None:
    """(16) One of a topic is offered after 1, 2, 4... minutes on a new connection; once one is taken all come back."""
    play = Play()
    play.online()
    (refused,) = sends(play.core.send_rows([row(1, topic="Refused")]))
    play.core.handle(Acknowledged(refused.tag, NOT_ALLOWED))

    def probe_after(minutes: int) -> Send:
        play.clock.advance(60 * minutes - 1)
        play.quiet()
        before = play.core.phase
        play.clock.advance(2)
        play.quiet()
        assert (before, play.core.phase) == (Phase.ONLINE, Phase.CONNECTING)
        play.acknowledge_control(play.core.handle(Opened(session_present=True)))
        (probe,) = sends(play.core.send_rows([row(1, topic="Refused"), row(2, topic="Refused")]))
        return probe

    for minutes in (1, 2, 4, 8, 16, 32, 60):
        play.core.handle(Acknowledged(probe_after(minutes).tag, NOT_ALLOWED))
    probe = probe_after(60)
    assert play.core.handle(Acknowledged(probe.tag, ACCEPTED)) == [BringBack(), Restate(replay=False), Forget(1)]
    assert play.core.health().reason == ""
    assert len(sends(play.core.send_rows([row(2, topic="Refused")]))) == 1


def test_topics_that_were_refused_one_after_the_other_are_tried_on_one_connection() -> None:
    """(16) Twenty of them within twenty seconds cost one handshake a minute later, not twenty."""
    play = Play()
    play.online()
    for sequence in range(1, 21):
        (refused,) = sends(play.core.send_rows([row(sequence, topic=f"Refused{sequence}")]))
        play.core.handle(Acknowledged(refused.tag, NOT_ALLOWED))
        play.clock.advance(1)
    play.clock.advance(41)
    play.quiet()
    play.acknowledge_control(play.core.handle(Opened(session_present=True)))
    assert len(sends(play.core.send_rows([row(n, topic=f"Refused{n}") for n in range(1, 21)]))) == 20


def test_a_row_refused_for_a_moment_goes_again_before_any_other() -> None:
    """(16) RabbitMQ refuses while a queue changes its leader: the row keeps its place, and nothing overtakes it meanwhile."""
    play = Play()
    play.online()
    one, two = sends(play.core.send_rows([row(1), row(2)]))
    assert play.core.handle(Acknowledged(one.tag, UNWILLING)) == []
    assert play.core.room() == (0, 0)
    play.clock.advance(Pace().hush_s)
    assert play.core.tick() == []
    assert play.core.handle(Acknowledged(two.tag, ACCEPTED)) == [Forget(2)]
    assert play.core.tick() == [Release()]
    (again,) = sends(play.core.send_rows([row(1)]))
    assert play.core.handle(Acknowledged(again.tag, ACCEPTED)) == [Forget(1)]
    assert play.core.room() == (20, 16)


def test_a_row_refused_again_and_again_rests_at_last() -> None:
    """(16) What does not pass by itself holds the others up for seconds, no longer."""
    play = Play()
    play.online()
    for _ in range(Pace().balks_most):
        (send,) = sends(play.core.send_rows([row(1)]))
        play.core.handle(Acknowledged(send.tag, UNWILLING))
        due_ns = play.core.deadline_ns()
        play.clock.advance(Pace().hush_s)
        assert due_ns == play.clock.monotonic_ns()
        assert play.core.tick() == [Release()]
    refused, other = sends(play.core.send_rows([row(1), row(2, topic="Other")]))
    assert [type(i) for i in play.core.handle(Acknowledged(refused.tag, UNWILLING))] == [SetAside]
    assert play.core.handle(Acknowledged(other.tag, ACCEPTED)) == [Forget(2)]
    assert play.core.room() == (20, 16)


def test_the_window_keeps_room_for_alarms() -> None:
    """(12) Of twenty places four are for alarms; a broker that wants less at once gets less."""
    play = Play()
    play.online()
    assert play.core.room() == (20, 16)
    play.core.send_rows([row(n, Priority.PROPERTY) for n in range(16)])
    assert play.core.room() == (4, 0)
    narrow = Play()
    narrow.online(Opened(session_present=False, receive_maximum=5))
    assert narrow.core.room() == (5, 1)


def test_a_backlog_drains_at_a_rate() -> None:
    """(12) After the burst, states wait for their turn; alarms never do."""
    play = Play(drain_burst=10, drain_per_s=10)
    play.online()
    for sequence in range(10):
        (send,) = sends(play.core.send_rows([row(sequence, Priority.PROPERTY)]))
        play.core.handle(Acknowledged(send.tag, ACCEPTED))
    assert play.core.room() == (20, 0)
    play.clock.advance(0.5)
    assert play.core.room() == (20, 5)


def test_events_wait_for_somebody_to_listen() -> None:
    """(13) A broker that lost its memory acknowledges into the void: one event at a time, kept, until somebody is there."""
    play = Play()
    (birth,) = sends(play.connect())
    play.core.handle(Acknowledged(birth.tag, NOBODY))
    assert play.core.room() == (1, 1)
    (send,) = sends(play.core.send_rows([row(1)]))
    assert play.core.room() == (0, 0)
    assert play.core.handle(Acknowledged(send.tag, NOBODY)) == [Release()]
    assert play.core.room() == (0, 0)
    play.clock.advance(2.1)
    (send,) = sends(play.core.send_rows([row(1)]))
    assert play.core.handle(Acknowledged(send.tag, ACCEPTED)) == [Forget(1)]
    assert play.core.room() == (20, 16)


def test_a_hub_that_never_comes_does_not_hold_events_for_ever() -> None:
    """(13) After two minutes the broker's acknowledgement counts, listened to or not."""
    play = Play(audience_s=120)
    (birth,) = sends(play.connect())
    play.core.handle(Acknowledged(birth.tag, NOBODY))
    play.clock.advance(121)
    (send,) = sends(play.core.send_rows([row(1)]))
    assert play.core.handle(Acknowledged(send.tag, NOBODY)) == [Forget(1)]


def test_a_broker_that_no_longer_answers_is_left() -> None:
    """Unacknowledged for too long: the connection is dropped and everything taken again; an idle line is left alone."""
    play = Play(stall_s=20, birth_again_s=1000)
    play.online()
    play.clock.advance(100)
    assert play.core.tick() == []
    play.core.send_rows([row(1)])
    play.clock.advance(19)
    assert play.core.tick() == []
    play.clock.advance(2)
    assert play.core.tick() == [Disconnect(abruptly=True), Release()]
    assert play.core.phase is Phase.WAITING


def test_every_broker_is_tried_and_the_preferred_one_returned_to() -> None:
    """(10) Fail-over to the second, a probe of the first, and the way back once it answers, leaving the will and no word."""
    play = Play(FIRST, SECOND, fail_back_s=100)
    play.clock.advance(60)
    (connect,) = play.core.tick()
    assert isinstance(connect, Connect)
    assert connect.endpoint == FIRST
    play.core.handle(RefusedConnection(None, "nobody listens"))
    play.online()
    assert play.core.health().broker == "mqtt://second"
    play.clock.advance(121)
    assert Probe(FIRST) in play.core.tick()
    assert play.core.handle(Probed(FIRST, reachable=False)) == []
    play.clock.advance(121)
    assert Probe(FIRST) in play.core.tick()
    assert play.core.handle(Probed(FIRST, reachable=True)) == []
    out = play.core.settle()
    assert out[0] == Disconnect(with_will=True)
    assert [i.endpoint for i in out if isinstance(i, Connect)] == [FIRST]


def test_reconnects_spread_and_stay_below_the_ceiling() -> None:
    """(14) A thousand nodes that lose the broker at once come back spread over seconds, and never later than 20 s."""
    delays = []
    for seed in range(1000):
        clock = ManualClock()
        core = SessionCore(Identity("n", "v", "1", "b"), [FIRST], clock, Pace(), random.Random(seed))
        core.tick()
        core.handle(Opened(session_present=False))
        clock.advance(100)
        lost_ns = clock.monotonic_ns()
        core.handle(Lost(None, "broke"))
        due_ns = core.deadline_ns()
        assert due_ns is not None
        delays.append((due_ns - lost_ns) / 1e9)
    assert max(delays) <= 20
    for second in range(5):
        share = sum(second <= delay < second + 1 for delay in delays) / len(delays)
        assert 0.15 < share < 0.25, f"{share:.0%} come back in second {second}"


def test_stopping_says_so_and_asks_for_the_will() -> None:
    """(10) `stopping` first, then what is left, then the will."""
    play = Play()
    play.online()
    (goodbye,) = sends(play.core.stop())
    assert json.loads(goodbye.publication.payload or b"")["state"] == "stopping"
    assert play.core.settle() == []
    play.core.handle(Acknowledged(goodbye.tag, ACCEPTED))
    assert play.core.settle() == [Disconnect(with_will=True), Release()]
    assert play.core.phase is Phase.FINISHED


def test_a_refused_login_is_said_in_words() -> None:
    """(16) Health says what the broker said, and the next attempt waits longer."""
    play = Play()
    play.clock.advance(60)
    play.core.tick()
    play.core.handle(RefusedConnection(0x86, "x"))
    assert "user name and password" in play.core.health().reason
    due_ns = play.core.deadline_ns()
    assert due_ns is not None
    assert due_ns - play.clock.monotonic_ns() >= 20e9


def test_a_node_that_hears_no_commands_says_so_whatever_else_goes_well() -> None:
    """(16) A refused subscription stands in health until one is granted; what goes through beside it clears nothing."""
    play = Play()
    play.online()
    play.core.handle(Subscribed((NOT_ALLOWED,)))
    (good,) = sends(play.core.send_rows([row(1)]))
    play.core.handle(Acknowledged(good.tag, ACCEPTED))
    (refused,) = sends(play.core.send(Publication("vigie/n/answer/desk", b"x")))
    play.core.handle(Acknowledged(refused.tag, QUOTA))
    assert play.core.health().reason.startswith("commands cannot be received")
    assert "; vigie/n/answer/desk is refused: the broker's quota" in play.core.health().reason
    play.core.handle(Subscribed((1,)))
    assert play.core.health().reason.startswith("vigie/n/answer/desk")


def test_a_refusal_stands_until_its_own_topic_goes_through() -> None:
    """(16) Health names the refused topic; what is accepted elsewhere leaves the words, a success there ends them."""
    play = Play()
    play.online()

    def answer(topic: str, code: int) -> None:
        (send,) = sends(play.core.send(Publication(topic, b"x")))
        play.core.handle(Acknowledged(send.tag, code))

    answer("vigie/n/answer/desk", NOT_ALLOWED)
    answer("vigie/n/answer/other", ACCEPTED)
    assert play.core.health().reason.startswith("vigie/n/answer/desk is refused: the broker does not allow")
    answer("vigie/n/answer/desk", ACCEPTED)
    assert play.core.health().reason == ""
    answer("vigie/n/still/one", NOT_ALLOWED)
    assert play.core.health().reason.startswith("vigie/n/still/+ is refused")
    answer("vigie/n/still/two", ACCEPTED)
    assert play.core.health().reason == ""


def test_a_refused_answer_is_not_held_against_the_line_for_ever() -> None:
    """(16) What is not tried again stands in health for two minutes at most, and no reconnect is needed to end it."""
    play = Play(rest_s=60)
    play.online()
    (send,) = sends(play.core.send(Publication("vigie/n/answer/desk", b"x")))
    play.core.handle(Acknowledged(send.tag, NOT_ALLOWED))
    play.clock.advance(119)
    assert play.core.health().reason
    play.clock.advance(2)
    assert play.core.health().reason == ""


def test_a_refused_row_stays_in_health_through_the_handshakes_that_offer_it_again() -> None:
    """(16) The words do not come and go with every minute's new connection; without one, health says why there is none."""
    play = Play()
    play.online()
    (send,) = sends(play.core.send_rows([row(1)]))
    play.core.handle(Acknowledged(send.tag, NOT_ALLOWED))
    said = play.core.health().reason
    play.clock.advance(61)
    while play.core.phase is not Phase.CONNECTING:
        play.core.tick()
        play.core.settle()
        assert play.core.health().reason == said
    play.core.handle(Opened(session_present=True))
    assert play.core.health().reason == said
    play.core.handle(Lost(None, "broke"))
    assert play.core.health().reason == "broke"


def test_who_is_subscribed_elsewhere_is_no_audience() -> None:
    """(13) Home Assistant hears what is announced to it: that says nothing of a hub for this node's events."""
    play = Play()
    (birth,) = sends(play.connect())
    play.core.handle(Acknowledged(birth.tag, NOBODY))
    (send,) = sends(play.core.send(Publication("homeassistant/device/vigie/n/config", b"{}", 1, True)))
    assert play.core.handle(Acknowledged(send.tag, ACCEPTED)) == []
    assert play.core.room() == (1, 1)


def test_a_retained_topic_that_is_refused_is_left_alone() -> None:
    """(16) What every connect would send again, an announcement say, is not: health names the topic and why."""
    play = Play(rest_s=300)
    play.online()
    announcement = Publication("homeassistant/device/vigie/n/config", b"{}", 1, True)
    (send,) = sends(play.core.send(announcement))
    assert play.core.handle(Acknowledged(send.tag, NOT_ALLOWED)) == []
    assert play.core.health().reason.startswith("homeassistant/device/vigie/n/config is refused")
    play.core.handle(Lost(None, "broke"))
    play.online()
    assert sends(play.core.send(announcement)) == []


def test_a_hub_that_comes_late_is_no_longer_missed() -> None:
    """(13) Nobody was subscribed for longer than is waited for; once somebody is, health says nothing more of it."""
    play = Play(audience_s=120)
    (birth,) = sends(play.connect())
    play.core.handle(Acknowledged(birth.tag, NOBODY))
    (send,) = sends(play.core.send_rows([row(1)]))
    play.core.handle(Acknowledged(send.tag, NOBODY))
    assert "nobody is subscribed" in play.core.health().reason
    play.clock.advance(121)
    (send,) = sends(play.core.send_rows([row(1)]))
    play.core.handle(Acknowledged(send.tag, ACCEPTED))
    assert play.core.health().reason == ""


def test_what_the_broker_cannot_take_is_not_sent() -> None:
    """(16) A row above the broker's packet size is given up; where nothing is retained, nothing asks for it."""
    play = Play()
    play.online(Opened(session_present=False, maximum_packet_bytes=1000, retain_available=False))
    assert play.core.send_rows([row(1, size=2000)]) == [GiveUp(1, "larger than the broker takes")]
    (send,) = sends(play.core.send(Publication("t", b"x", 1, True)))
    assert not send.publication.retain


def test_what_tells_of_drops_is_never_dropped_for_good() -> None:
    """(16) It would be told of by another of its kind, and that one again, for ever: it is set aside, too large or refused."""
    play = Play()
    play.online(Opened(session_present=False, maximum_packet_bytes=1000))
    announcement = row(1, size=2000, topic=EVENTS_DROPPED)
    (kept,) = play.core.send_rows([announcement])
    assert isinstance(kept, SetAside)
    assert play.core.send_rows([replace(announcement, sequence=2)]) == [SetAside(2, None)]
    assert "EventsDropped is refused: larger than the broker takes" in play.core.health().reason

    play = Play()
    play.online()
    (send,) = sends(play.core.send_rows([row(1, topic=EVENTS_DROPPED)]))
    (kept, *_) = play.core.handle(Acknowledged(send.tag, TOO_LARGE))
    assert isinstance(kept, SetAside)


ANSWERS = st.tuples(st.integers(0, 20), st.sampled_from([0, 0, 0, 0x10, 0x80, 0x83, 0x87, 0x97, 0x95, 0xC7]))
EVENTS = st.one_of(
    st.builds(Opened, st.booleans(), st.integers(1, 30)),
    st.builds(Opened, st.booleans(), maximum_packet_bytes=st.integers(200, 400), retain_available=st.booleans()),
    st.builds(RefusedConnection, st.sampled_from([None, 0x86, 0x88, 0x9A, 0x9B, 0xEE]), st.just("why")),
    st.builds(Lost, st.sampled_from([None, 0x8B, 0x8E, 0x95, 0x9A, 0xEE]), st.just("why")),
    *[ANSWERS] * 6,
    st.builds(Probed, st.just(FIRST), st.booleans()),
    st.integers(1, 90),
)


class OutboxModel:
    """What the outbox must see: every row once at a time, until a good answer, or a word that it will never be taken."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.out: set[int] = set()
        self.cursor = self.raised = 0
        self.done: set[int] = set()

    def take(self, room: int, *, raising: bool = True) -> list[Row]:
        """The oldest that are not out, beyond the cursor; new ones are raised as there is room."""
        fresh = room // 4 if raising else 0
        self.waiting += range(self.raised + 1, self.raised + 1 + fresh)
        self.raised += fresh
        found = [sequence for sequence in self.waiting if sequence > self.cursor and sequence not in self.out][:room]
        self.cursor = max([self.cursor, *found])
        self.out |= set(found)
        return [row(sequence, topic=f"T{sequence % 3}", size=100 * (sequence % 2)) for sequence in found]

    def carry_out(self, instructions: Sequence[Instruction], answered: tuple[int, int] | None) -> None:
        """As `agent.uplink.session` does, with everything checked."""
        for instruction in instructions:
            match instruction:
                case Release():
                    self.out.clear()
                    self.cursor = 0
                case BringBack():
                    self.cursor = 0
                case SetAside():
                    self.out.remove(instruction.sequence)
                case Forget():
                    assert answered is not None
                    assert answered == (instruction.sequence, answered[1])
                    assert answered[1] < 0x80
                    self._finish(instruction.sequence)
                case GiveUp():
                    self._finish(instruction.sequence)
                case _:
                    pass

    def _finish(self, sequence: int) -> None:
        self.out.remove(sequence)
        self.waiting.remove(sequence)
        self.done.add(sequence)


@given(st.lists(EVENTS, max_size=80), st.integers(0, 1000))
@settings(max_examples=300, deadline=None)
def test_no_order_of_events_loses_or_repeats_a_row(events: list[object], seed: int) -> None:
    """(2, 6, 16, 20) Whatever the broker says and the line does: a row is out once at a time, and ends by a good answer alone,
    or by one that says never; and where everything is taken at last, nothing is left."""
    clock = ManualClock()
    core = SessionCore(Identity("n", "v", "1", "b"), [FIRST, SECOND], clock, Pace(), random.Random(seed))
    outbox = OutboxModel()
    tags: dict[int, int] = {}
    unanswered: list[int] = []

    def carry_out(instructions: Sequence[Instruction], answered: tuple[int, int] | None = None) -> None:
        outbox.carry_out(instructions, answered)
        for instruction in instructions:
            if isinstance(instruction, Send) and instruction.tag:
                unanswered.append(instruction.tag)
                sequence = int(dict(instruction.publication.user_properties).get("sequence", 0))
                tags[instruction.tag] = sequence
                assert sequence == 0 or sequence in outbox.out
            elif isinstance(instruction, Disconnect | Connect):
                unanswered.clear()

    def answer(tag: int, code: int) -> None:
        unanswered.remove(tag)
        carry_out(core.handle(Acknowledged(tag, code)), (tags[tag], code))

    def send_rows() -> None:
        room, _ = core.room()
        assert room <= 20
        carry_out(core.send_rows(outbox.take(room)))
        assert len(outbox.out) <= 20

    carry_out(core.tick())
    carry_out(core.handle(Opened(session_present=False)))
    for event in events:
        match event:
            case int():
                clock.advance(event)
                carry_out(core.tick())
            case (int() as which, int() as code):
                if unanswered:
                    answer(unanswered[which % len(unanswered)], code)
            case _:
                if isinstance(event, Lost | Opened):
                    unanswered.clear()
                carry_out(core.handle(event))  # type: ignore[arg-type]
        send_rows()
    for _ in range(3000):
        if not outbox.waiting:
            break
        clock.advance(5)
        carry_out(core.tick())
        carry_out(core.settle())
        if core.phase is Phase.CONNECTING:
            carry_out(core.handle(Opened(session_present=False)))
        while unanswered:
            answer(unanswered[0], ACCEPTED)
        room, _ = core.room()
        carry_out(core.send_rows(outbox.take(room, raising=False)))
    assert outbox.waiting == []
    assert outbox.done == set(range(1, outbox.raised + 1))
