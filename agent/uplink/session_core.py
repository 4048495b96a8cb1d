"""The MQTT session's decisions, free of I/O: transport events go in, instructions come out.

    waiting -> connecting -> online -> waiting ...
                               |-> leaving (hand-over: preferred broker, renewed certificate) -> connecting
                               `-> stopping -> finished
One thread. The clock and the dice are injected.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from agent.base.clock import NS, Clock, rfc3339
from agent.base.phrase import say
from agent.events.row import Row
from agent.ports.health import UplinkHealth
from agent.ports.mqtt import (
    Acknowledged,
    BrokerEndpoint,
    Lost,
    Opened,
    Probed,
    Publication,
    Received,
    RefusedConnection,
    Subscribed,
    TransportEvent,
)
from agent.uplink.birth_rhythm import BirthRhythm
from agent.uplink.connect_options import connect_options
from agent.uplink.failover import BrokerFailover
from agent.uplink.instructions import Connect, Deliver, Disconnect, Instruction, Probe, Release, Restate, Subscribe, TopicSweep
from agent.uplink.keep_alive import KeepAlive
from agent.uplink.limits import WILDCARDS_NOT_SUPPORTED
from agent.uplink.line_fault import LineFault
from agent.uplink.listening import Listening
from agent.uplink.outgoing import Outgoing
from agent.uplink.pace import Pace
from agent.uplink.phase import CONNECTED, SEEN_AS, Phase
from agent.uplink.presence import Identity
from agent.uplink.reasons import REFUSED_FROM, in_words
from agent.uplink.twin import Twin


class SessionCore:
    """Decides when to connect, what to send next and what an answer means."""

    def __init__(
        self, identity: Identity, endpoints: Sequence[BrokerEndpoint], clock: Clock, pace: Pace, dice: random.Random
    ) -> None:
        self.phase = Phase.WAITING
        self.reconnects = 0
        self._identity = identity
        self._clock = clock
        self._pace = pace
        self._failover = BrokerFailover(endpoints, pace, dice)
        self._fault = LineFault(clock, pace)
        self._out = Outgoing(identity.topics, pace, clock, self._fault)
        self._twin = Twin(identity.topics.status, identity.boot_id, clock)
        self._listening = Listening()
        self._since_ns: int | None = None
        self._online_ns = 0
        self._due_ns = clock.monotonic_ns()
        self._probe_ns = 0
        self._births = BirthRhythm(pace)
        self._keep_alive = KeepAlive(pace.keepalive_s, clock)

    # -- what happens ----------------------------------------------------------------------------------------------

    def handle(self, event: TransportEvent) -> list[Instruction]:
        """Take one event of the transport."""
        match event:
            case Opened():
                return self._opened(event)
            case RefusedConnection():
                return self._refused(event.code, event.why) if self.phase is Phase.CONNECTING else []
            case Lost():
                return self._lost(event)
            case Acknowledged():
                return [*self._answered(event), *self._flush()]
            case Received():
                self._out.in_flight.heard()
                return [] if self._twin.hear(event) else [Deliver(event)]
            case Subscribed():
                return self._subscribed(event.codes)
            case Probed():
                return self._probed(event)

    def tick(self) -> list[Instruction]:
        """Do what time asks for: call when `deadline_ns` has come."""
        now_ns = self._clock.monotonic_ns()
        match self.phase:
            case Phase.WAITING if now_ns >= self._due_ns:
                return self._connect()
            case Phase.CONNECTING if now_ns >= self._due_ns:
                self._fault.no_line(say("the broker does not answer"))
                self._wait(self._failover.unanswered())
                return [Disconnect(abruptly=True)]
            case Phase.STOPPING | Phase.LEAVING if now_ns >= self._due_ns:
                return self._depart()
            case Phase.ONLINE if self._out.in_flight.is_stalled:
                return [Disconnect(abruptly=True), *self._lost(Lost(None, say("the broker no longer acknowledges")), ours=True)]
            case Phase.ONLINE if self._out.aside.is_due:
                return self.renew()
            case Phase.ONLINE if self._out.in_flight.may_try_again:
                self._out.in_flight.try_again()
                return [Release(), *self._flush()]
            case Phase.ONLINE if not self._failover.is_preferred and now_ns >= self._probe_ns:
                self._probe_ns = now_ns + self._failover.probe_after_ns()
                return [Probe(self._failover.preferred)]
            case Phase.ONLINE if now_ns >= self._births.due_ns:
                self._births.again(now_ns)
                # A broker that retains nothing forgot the states as well.
                return [*self.birth(), TopicSweep() if self._out.limits.retain else Restate(replay=False)]
            case _:
                return self._flush()

    # -- what the shell wants --------------------------------------------------------------------------------------

    def birth(self) -> list[Instruction]:
        """Say again who is here, and since when."""
        return self.send(self._identity.status("online", self._since_ns or 0)) if self.phase is Phase.ONLINE else []

    def send(self, publication: Publication) -> list[Instruction]:
        """Send something that is no row: an answer, a state, a health document. Lost if the connection is."""
        if self.phase not in (Phase.ONLINE, Phase.STOPPING):
            return []
        self._out.queue(publication)
        return self._flush()

    def send_rows(self, rows: Sequence[Row], retains: Callable[[Row], bool] = lambda _: True) -> list[Instruction]:
        """Send rows that were taken within `room`; without `retains` a state goes to those who listen, and is kept by nobody."""
        return self._out.send_rows(rows, retains)

    def renew(self) -> list[Instruction]:
        """Shake hands again with the same broker: the will is asked for and waived by the return, so nobody notices."""
        return self._leave() if self.phase is Phase.ONLINE else []

    def stop(self) -> list[Instruction]:
        """Say goodbye: announce `stopping`, let what is in flight arrive, then disconnect."""
        if self.phase in (Phase.FINISHED, Phase.STOPPING):
            return []
        if self.phase is not Phase.ONLINE:
            self.phase = Phase.FINISHED
            return [Disconnect(abruptly=True), Release()]
        self.phase = Phase.STOPPING
        self._due_ns = self._clock.monotonic_ns() + round(self._pace.goodbye_s * NS)
        self._out.queue(self._identity.status("stopping", self._clock.wall_ns()), first=True)
        return self._flush()

    def settle(self) -> list[Instruction]:
        """Called when the outbox has nothing more to give: ends a goodbye early."""
        if self.phase in (Phase.STOPPING, Phase.LEAVING) and self._out.is_empty:
            return self._depart()
        return []

    def room(self) -> tuple[int, int]:
        """How many rows may be sent now, and how many of them that are no alarms."""
        return self._out.room() if self.phase in (Phase.ONLINE, Phase.STOPPING) else (0, 0)

    @property
    def still_room(self) -> int:
        """How many of the rows may be stills."""
        return self._out.stills.room

    def deadline_ns(self) -> int | None:
        """When `tick` wants to be called; None when only an event can change anything."""
        match self.phase:
            case Phase.FINISHED:
                return None
            case Phase.ONLINE:
                due = [self._births.due_ns, self._out.in_flight.deadline_ns(), self._out.aside.due_ns]
                due += [] if self._failover.is_preferred else [self._probe_ns]
                return min(ns for ns in due if ns is not None)
            case _:
                return self._due_ns

    @property
    def broker(self) -> str:
        """The URL of the one in use."""
        return self._failover.current.url

    @property
    def largest_packet(self) -> int | None:
        """In bytes, at the broker in use; None when it has no limit."""
        return self._out.limits.packet_bytes

    @property
    def set_aside(self) -> int:
        """How many rows the broker does not take for now; any thread."""
        return self._out.aside.rows

    def health(self) -> UplinkHealth:
        """For the health document; any thread."""
        return UplinkHealth(
            state=SEEN_AS.get(self.phase, "offline"),
            broker=self._failover.current.url,
            reason=self._fault.said(self._twin.words(), self._out.aside.words(), self._out.limits.words()),
            since=None if self._since_ns is None else rfc3339(self._since_ns),
            reconnects=self.reconnects,
        )

    # -- connecting ------------------------------------------------------------------------------------------------

    def _connect(self) -> list[Instruction]:
        self.phase = Phase.CONNECTING
        self._due_ns = self._clock.monotonic_ns() + round(self._pace.connect_timeout_s * NS)
        limits, wall_ns = self._out.known.of(self._failover.current), self._clock.wall_ns()
        pace = replace(self._pace, keepalive_s=self._keep_alive.seconds)
        options = connect_options(self._identity, limits, pace, wall_ns, clean_start=self._failover.is_session_in_doubt)
        return [Connect(self._failover.current, options)]

    def _opened(self, granted: Opened) -> list[Instruction]:
        if self.phase is not Phase.CONNECTING:
            return []
        self.phase = Phase.ONLINE
        self._failover.answered()
        self._online_ns = self._clock.monotonic_ns()
        self._since_ns = self._clock.wall_ns()
        self._fault.opened()
        self._out.begin(self._failover.current, granted)
        self._probe_ns = self._online_ns + self._failover.probe_after_ns()
        self._births.begin(self._online_ns)
        self._out.queue(self._identity.status("online", self._since_ns))
        limits = self._out.limits
        asked = self._listening.ask(Subscribe(not limits.wildcards, self._twin.is_feared, limits.packet_bytes))
        return [*self._flush(), asked, Restate()]

    def _subscribed(self, codes: Sequence[int]) -> list[Instruction]:
        if self._listening.lacks_wildcards(codes):
            self._out.known.learn(self._failover.current, WILDCARDS_NOT_SUPPORTED)
            return [self._listening.ask(Subscribe(plainly=True, packet_bytes=self._out.limits.packet_bytes))]
        self._fault.subscribed(self._listening.of_commands(codes))
        return []

    def _refused(self, code: int | None, why: str) -> list[Instruction]:
        self._fault.no_line(in_words(code, why))
        if self._out.known.learn(self._failover.current, code):
            return self._connect()
        self._wait(self._failover.refused(code))
        return []

    def _answered(self, event: Acknowledged) -> list[Instruction]:
        if event.code < REFUSED_FROM:
            self._twin.born()  # the first that is answered is the birth
        return self._out.answered(event)

    def _lost(self, event: Lost, *, ours: bool = False) -> list[Instruction]:
        """The connection is gone; `ours`: it was we who gave it up."""
        if self.phase is Phase.CONNECTING:
            return self._refused(event.code, event.why)
        if self.phase not in CONNECTED:
            return []
        self._fault.no_line(in_words(event.code, event.why))
        self._since_ns = self._clock.wall_ns()
        self._keep_alive.lost(self._online_ns, silently=event.code is None)
        explained = self._out.broke(self._failover.current, event.code, event.why, blame=not self._twin.is_certain)
        self._twin.lost(event.code, explained=explained or ours)
        if self.phase is Phase.STOPPING:
            self.phase = Phase.FINISHED
            return [Release()]
        self.reconnects += 1
        steady = self._clock.monotonic_ns() - self._online_ns > self._pace.steady_s * NS
        self._wait(self._failover.lost(event.code, steady=steady or explained))
        return [Release()]

    def _wait(self, delay_ns: int) -> None:
        self.phase = Phase.WAITING
        self._due_ns = self._clock.monotonic_ns() + delay_ns

    # -- hand-over and goodbye -------------------------------------------------------------------------------------

    def _probed(self, event: Probed) -> list[Instruction]:
        if self.phase is not Phase.ONLINE or self._failover.is_preferred or not event.reachable:
            return []
        out = self._leave()
        self._failover.return_to_preferred()
        return out

    def _leave(self) -> list[Instruction]:
        self.phase = Phase.LEAVING
        self._due_ns = self._clock.monotonic_ns() + round(self._pace.goodbye_s * NS)
        return self._flush()

    def _depart(self) -> list[Instruction]:
        # The will waits: a broker that sees the node again within `will_delay_s` drops it, one that does not tells the hub.
        self._out.clear()
        gone: list[Instruction] = [Disconnect(with_will=True), Release()]
        if self.phase is Phase.LEAVING:
            return [*gone, *self._connect()]
        self.phase = Phase.FINISHED
        return gone

    def _flush(self) -> list[Instruction]:
        return self._out.flush() if self.phase in CONNECTED else []
