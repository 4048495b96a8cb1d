"""Two nodes under one name, where the broker says nothing of it: told apart from a message that breaks the line."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from agent.base.clock import ClockQuality
from agent.events.row import Draft, Kind, Row, event_body
from agent.ports.event import Event, Priority
from agent.ports.mqtt import Acknowledged, BrokerEndpoint, Lost, Opened, Received
from agent.uplink.instructions import Instruction, Send, Subscribe
from agent.uplink.pace import Pace
from agent.uplink.presence import Identity
from agent.uplink.session_core import SessionCore
from tests.support.manual_clock import ManualClock


class Line:
    """A core whose line breaks whenever an alarm is out, and no reason is given."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.core = SessionCore(
            Identity("n", "vigie", "1", "ours"), [BrokerEndpoint.of("mqtt://b")], self.clock, Pace(), random.Random(1)
        )

    def connects(self) -> Subscribe:
        """In, the birth taken; what it listens to."""
        self.clock.advance(21)
        self.core.tick()
        asked = self.core.handle(Opened(session_present=False))
        for send in sends(asked):
            self.core.handle(Acknowledged(send.tag, 0))
        return next(each for each in asked if isinstance(each, Subscribe))

    def breaks_over(self, sequence: int) -> None:
        """One alarm goes out, and the line is gone."""
        assert sends(self.core.send_rows([alarm(sequence)]))
        self.core.handle(Lost(None, "the connection broke"))

    def hears(self, boot_id: str) -> None:
        """A birth on our own topic."""
        status = json.dumps({"state": "online", "boot_id": boot_id}).encode()
        self.core.handle(Received("vigie/n/status", status, False, ()))


def sends(instructions: Sequence[Instruction]) -> list[Send]:
    """What goes to the broker."""
    return [each for each in instructions if isinstance(each, Send)]


def alarm(sequence: int) -> Row:
    """As the outbox hands it out."""
    body = event_body(Event("T", 0, priority=Priority.ALARM))
    return Row.of(Draft(f"id{sequence}", Priority.ALARM, Kind.EVENT, 0, ClockQuality.SYNCHRONISED, body), sequence, "e")


def test_a_line_that_broke_over_a_message_makes_a_node_listen_for_another() -> None:
    """The message may be innocent: a second node ends lines at any moment, and its birth is all that tells."""
    line = Line()
    assert not line.connects().status
    for _ in range(2):
        line.breaks_over(1)
        assert line.connects().status
    line.hears("theirs")
    assert "the other's boot_id is theirs" in line.core.health().reason


def test_where_a_second_node_was_heard_no_message_is_blamed() -> None:
    """Nothing is set aside, however often the other takes the line over while one message is out."""
    line = Line()
    line.connects()
    line.hears("theirs")
    for _ in range(5):
        line.breaks_over(1)
        line.connects()
    assert line.core.set_aside == 0
    assert sends(line.core.send_rows([alarm(1)]))


def test_without_a_second_node_the_message_is_blamed_as_before() -> None:
    """Twice on end alone: it rests, and everything else goes on."""
    line = Line()
    line.connects()
    for _ in range(2):
        line.breaks_over(1)
        line.connects()
    assert not sends(line.core.send_rows([alarm(1)]))
    assert sends(line.core.send_rows([alarm(2)]))


def test_a_node_alone_is_no_twin_of_its_own() -> None:
    """Its own birth comes back to it while it listens, retained or not."""
    line = Line()
    line.connects()
    line.breaks_over(1)
    line.connects()
    line.hears("ours")
    assert "under this name:" not in line.core.health().reason
