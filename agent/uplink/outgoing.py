"""What goes to the broker on one connection after the other, what it answers, and what it will not take."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from agent.base.clock import Clock
from agent.events.alarms import EVENTS_DROPPED
from agent.events.row import Kind, Row
from agent.ports.event import Priority
from agent.ports.mqtt import Acknowledged, BrokerEndpoint, Opened, Publication
from agent.uplink.aside import Aside
from agent.uplink.in_flight_window import InFlightWindow, Sent
from agent.uplink.instructions import BringBack, Cleared, Forget, GiveUp, Instruction, Release, Restate, Send, SetAside
from agent.uplink.limits import KnownLimits, Limits
from agent.uplink.line_fault import LineFault
from agent.uplink.pace import Pace
from agent.uplink.packet_size import packet_bytes
from agent.uplink.reasons import NEVER_ACCEPTED, NOBODY_SUBSCRIBED, PASSING, REFUSED_FROM, in_words
from agent.uplink.still_pace import StillPace
from agent.uplink.suspicion import Suspicion
from agent.uplink.topics import NodeTopics, publication_of

CONTROL_MOST = 2000
TOO_LARGE = "larger than the broker takes"


class Outgoing:
    """Part of the session's core: one thread, but for `aside`'s words. `begin` and `broke` with every connection."""

    def __init__(self, topics: NodeTopics, pace: Pace, clock: Clock, fault: LineFault) -> None:
        self.control_dropped = 0
        self.in_flight = InFlightWindow(pace, clock)
        self.aside = Aside(pace, clock)
        self.known = KnownLimits(clock)
        self.limits = Limits()
        self._endpoint: BrokerEndpoint | None = None
        self._topics = topics
        self._suspicion = Suspicion(pace, clock)
        self._control: deque[Publication] = deque()
        self._fault = fault
        self.stills = StillPace(clock)

    def begin(self, endpoint: BrokerEndpoint, granted: Opened) -> None:
        """A new connection, with what the broker grants."""
        self._control.clear()
        self._endpoint = endpoint
        self.limits = self.known.opened(endpoint, granted)
        self.in_flight.begin(granted)
        self.aside.begin()
        self._suspicion.begin()

    def clear(self) -> None:
        """The connection is left, and what was out goes again on the next."""
        self.stills.broke()
        self.in_flight.clear()
        self._control.clear()

    def broke(self, endpoint: BrokerEndpoint, code: int | None, why: str, *, blame: bool = True) -> bool:
        """The connection broke. True when that is laid to a message, so that the next one may come soon.

        Without `blame` something else is known to break it, and no message pays for that.
        """
        if not blame:
            self._suspicion.acquit()
            self.clear()
            return False
        unanswered = self.in_flight.unanswered
        learnt = self.known.learn(endpoint, code, max((sent.packet_bytes for sent in unanswered), default=0))
        probes = [key for sent in unanswered for key in {sent.key, sent.place} if self.aside.probes(key)]
        culprit = None if learnt or probes else self._suspicion.broke(unanswered, code)
        if code is None and (culprit is not None or probes):
            for sent in unanswered:
                self.known.suspect(endpoint, sent.place, sent.packet_bytes)
        for key in (*probes, *(() if culprit is None else (culprit,))):
            self.aside.refuse(key, f"breaks the line: {in_words(code, why)}")
        self.clear()
        return learnt or bool(probes) or culprit is not None

    @property
    def is_empty(self) -> bool:
        """Nothing is out, and nothing but rows waits."""
        return self.in_flight.is_empty and not self._control

    # -- sending ---------------------------------------------------------------------------------------------------

    def queue(self, publication: Publication, *, first: bool = False) -> None:
        """Take something that is no row; lost with the connection. `flush` sends it."""
        if first:
            self._control.appendleft(publication)
            return
        if len(self._control) >= CONTROL_MOST:
            self._control.popleft()
            self.control_dropped += 1
        self._control.append(publication)

    def flush(self) -> list[Instruction]:
        """Send what is queued, as far as the window reaches."""
        self._suspicion.settle()
        out: list[Instruction] = []
        while self._control and self.in_flight.has_window(alone=self._suspicion.one_at_a_time):
            out.extend(self._send(self.limits.fitted(self._control.popleft())))
        return out

    def _send(self, publication: Publication) -> list[Instruction]:
        sent = Sent(
            self._topics.place(publication.topic),
            packet_bytes(publication),
            retained=publication.retain,
            clears=publication.payload is None,
        )
        if not self._fits(sent.packet_bytes):
            self._fault.too_large(sent.place, sent.packet_bytes, self.limits.packet_bytes or 0)
            return []
        if publication.retain and self.aside.holds(sent.place):
            return []
        if publication.qos == 0 and self.limits.qos and not self._suspicion.one_at_a_time:
            self.in_flight.let_go(sent)
            return [Send(publication, 0)]
        return [Send(publication, self.in_flight.launch(sent))]

    def room(self) -> tuple[int, int]:
        """How many rows may be sent now, and how many of them that are no alarms."""
        return (0, 0) if self._control else self.in_flight.room(alone=self._suspicion.one_at_a_time)

    def send_rows(self, rows: Sequence[Row], retains: Callable[[Row], bool] = lambda _: True) -> list[Instruction]:
        """Send rows that were taken within `room`, or say what becomes of them otherwise."""
        return [instruction for row in rows for instruction in self._send_row(row, retains)]

    def _send_row(self, row: Row, retains: Callable[[Row], bool]) -> list[Instruction]:
        try:
            publication = self.limits.fitted(publication_of(row, self._topics, retained=retains(row)))
        except (ValueError, KeyError, TypeError):
            return [GiveUp(row.sequence, "the disk has changed it beyond reading")]
        place, size = self._topics.place(publication.topic), packet_bytes(publication)
        if not self._fits(size):
            if self.limits.guessed:
                return self._hold_large(row.sequence, place)
            return self._give_up(row.sequence, place, TOO_LARGE)
        if self.aside.holds(row.sequence, place):
            return self._set_aside(row.sequence, place)
        clears = publication.retain and publication.payload is None
        sent = Sent(place, size, row.sequence, row.priority is not Priority.ALARM, clears=clears)
        if row.kind is Kind.STILL:
            self.stills.launched(row.sequence)
        return [Send(publication, self.in_flight.launch(sent))]

    def _give_up(self, sequence: int, place: str, why: str) -> list[Instruction]:
        # What tells of drops waits instead: dropped, it would be told of by the next one, and that one again, for ever.
        if f"/{EVENTS_DROPPED}" not in place:
            return [GiveUp(sequence, why)]
        self.aside.refuse(place, f"is refused: {why}")
        return self._set_aside(sequence, place)

    def _hold_large(self, sequence: int, place: str) -> list[Instruction]:
        large = f"{place}, where it is large,"
        self.aside.refuse(large, f"waits: the broker breaks the line over packets above {self.limits.packet_bytes} bytes")
        told = self.aside.keep(sequence, large)
        return [SetAside(sequence, None if told is None else replace(told, place=place))]

    def _set_aside(self, sequence: int, place: str) -> list[Instruction]:
        return [SetAside(sequence, self.aside.keep(sequence, place))]

    def _fits(self, size: int) -> bool:
        return self.limits.packet_bytes is None or size <= self.limits.packet_bytes

    # -- answers ---------------------------------------------------------------------------------------------------

    def answered(self, event: Acknowledged) -> list[Instruction]:
        """What the broker's answer means for the row it is. An answer of an earlier connection matches nothing."""
        self.in_flight.heard()
        if not self.in_flight.is_out(event.tag):
            return []
        sent = self.in_flight.land(event.tag)
        self.stills.landed(sent.sequence or 0)
        self._suspicion.answered(sent)
        if self._endpoint is not None:
            self.known.took(self._endpoint, sent.packet_bytes)
        if event.code >= REFUSED_FROM:
            return self._refused(sent, event.code)
        back: list[Instruction] = []
        if any([self.aside.accept(sent.key), self.aside.accept(sent.place)]):
            back = [BringBack(), Restate(replay=False)]
        if sent.clears:
            back.append(Cleared(sent.place))
        self._fault.accepted(sent.place)
        ours = self._topics.owns(sent.place)
        if ours and event.code < NOBODY_SUBSCRIBED:
            self.in_flight.found_audience()
            self._fault.somebody_listens()
        if sent.sequence is None:
            return back
        if event.code == NOBODY_SUBSCRIBED and not self.in_flight.is_listened_to:
            self.in_flight.hush()
            self._fault.nobody_listens()
            return [*back, Release()]
        return [*back, Forget(sent.sequence)]

    def _refused(self, sent: Sent, code: int) -> list[Instruction]:
        if sent.sequence is not None and code in NEVER_ACCEPTED:
            self._fault.refused(sent.place, code)
            return self._give_up(sent.sequence, sent.place, in_words(code))
        if sent.sequence is not None and code in PASSING and self.in_flight.hold_back(sent.sequence):
            self._fault.refused(sent.place, code)
            return []
        # Refused for now, and likely so for longer: it keeps its place in the outbox, rests with its like, and others go on.
        if sent.sequence is not None or sent.retained:
            self.aside.refuse(sent.place, f"is refused: {in_words(code)}")
        else:
            self._fault.refused(sent.place, code)
        return [] if sent.sequence is None else self._set_aside(sent.sequence, sent.place)
