"""The MQTT session's decisions, free of I/O: transport events go in, instructions come out.

    waiting -> connecting -> online -> waiting ...
                               |-> leaving (hand-over: preferred broker, renewed certificate) -> connecting
                               `-> stopping -> finished
One thread. The clock and the dice are injected.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence

from msgspec.structs import replace

from agent.base.clock import NS, Clock, rfc3339
from agent.events.row import Row
from agent.ports.event import Priority
from agent.ports.mqtt import (
    Acknowledged,
    BrokerEndpoint,
    ConnectOptions,
    Lost,
    Opened,
    Probed,
    Publication,
    Received,
    Refused,
    Subscribed,
    TransportEvent,
)
from agent.uplink.answers import Answers
from agent.uplink.flight import Flight, Sent
from agent.uplink.health import UplinkHealth
from agent.uplink.instructions import (
    Connect,
    Deliver,
    Disconnect,
    GiveUp,
    Instruction,
    Probe,
    Release,
    Restate,
    Send,
    Subscribe,
)
from agent.uplink.pace import Pace
from agent.uplink.phase import CONNECTED, SEEN_AS, Phase
from agent.uplink.presence import Identity
from agent.uplink.reasons import in_words
from agent.uplink.rota import BrokerRota
from agent.uplink.topics import publication_of
from agent.uplink.trouble import Trouble

CONTROL_MOST = 2000


class SessionCore:
    """Decides when to connect, what to send next and what an answer means."""

    def __init__(
        self, identity: Identity, endpoints: Sequence[BrokerEndpoint], clock: Clock, pace: Pace, dice: random.Random
    ) -> None:
        self.phase = Phase.WAITING
        self.reconnects = 0
        self.control_dropped = 0
        self._identity = identity
        self._topics = identity.topics
        self._clock = clock
        self._pace = pace
        self._rota = BrokerRota(endpoints, pace, dice)
        self._flight = Flight(pace, clock)
        self._control: deque[Publication] = deque()
        self._trouble = Trouble(self._topics, clock, pace)
        self._answers = Answers(self._flight, self._trouble)
        self._since_ns: int | None = None
        self._online_ns = 0
        self._due_ns = clock.monotonic_ns()
        self._probe_ns = 0
        self._birth_ns = self._birth_gap_ns = 0

    # -- what happens ----------------------------------------------------------------------------------------------

    def handle(self, event: TransportEvent) -> list[Instruction]:
        """Take one event of the transport."""
        match event:
            case Opened():
                return self._opened(event)
            case Refused():
                return self._refused(event.code, event.why) if self.phase is Phase.CONNECTING else []
            case Lost():
                return self._lost(event)
            case Acknowledged():
                return [*self._answers.take(event), *self._flush()]
            case Received():
                self._flight.heard()
                return [Deliver(event)]
            case Subscribed():
                self._trouble.subscribed(event.codes)
                return []
            case Probed():
                return self._probed(event)

    def tick(self) -> list[Instruction]:
        """Do what time asks for: call when `deadline_ns` has come."""
        now_ns = self._clock.monotonic_ns()
        match self.phase:
            case Phase.WAITING if now_ns >= self._due_ns:
                return self._connect()
            case Phase.CONNECTING if now_ns >= self._due_ns:
                self._trouble.no_line("the broker does not answer")
                self._wait(self._rota.unanswered())
                return [Disconnect(abruptly=True)]
            case Phase.STOPPING | Phase.LEAVING if now_ns >= self._due_ns:
                return self._depart()
            case Phase.ONLINE if self._flight.is_stalled:
                return [Disconnect(abruptly=True), *self._lost(Lost(None, "the broker no longer acknowledges"))]
            case Phase.ONLINE if self._flight.rested:
                return self.renew()
            case Phase.ONLINE if self._flight.may_try_again:
                self._flight.try_again()
                return [Release(), *self._flush()]
            case Phase.ONLINE if not self._rota.is_preferred and now_ns >= self._probe_ns:
                self._probe_ns = now_ns + self._rota.probe_after_ns()
                return [Probe(self._rota.preferred)]
            case Phase.ONLINE if now_ns >= self._birth_ns:
                self._birth_gap_ns = min(2 * self._birth_gap_ns, round(self._pace.birth_again_most_s * NS))
                self._birth_ns = now_ns + self._birth_gap_ns
                return self.birth()
            case _:
                return self._flush()

    # -- what the shell wants --------------------------------------------------------------------------------------

    def birth(self) -> list[Instruction]:
        """Say again who is here, and since when."""
        return self.send(self._identity.status("online", self._since_ns or 0)) if self.phase is Phase.ONLINE else []

    def send(self, publication: Publication) -> list[Instruction]:
        """Send something that is no row: an answer, a state, a health document. Lost if the connection is."""
        if publication.qos == 0:
            return [Send(self._fitted(publication), 0)] if self.phase in (Phase.ONLINE, Phase.STOPPING) else []
        if len(self._control) >= CONTROL_MOST:
            self._control.popleft()
            self.control_dropped += 1
        self._control.append(publication)
        return self._flush()

    def send_rows(self, rows: Sequence[Row]) -> list[Instruction]:
        """Send rows that were taken within `room`."""
        out: list[Instruction] = []
        for row in rows:
            try:
                publication = self._fitted(publication_of(row, self._topics))
            except (ValueError, KeyError, TypeError):
                out.append(GiveUp(row.sequence, "the disk has changed it beyond reading"))
                continue
            if not self._flight.fits(publication):
                out.append(GiveUp(row.sequence, "larger than the broker takes"))
                continue
            sent = Sent(publication.topic, row.sequence, row.priority is not Priority.ALARM)
            out.append(Send(publication, self._flight.launch(sent)))
        return out

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
        self._control.appendleft(self._status("stopping"))
        return self._flush()

    def settle(self) -> list[Instruction]:
        """Called when the outbox has nothing more to give: ends a goodbye early."""
        if self.phase in (Phase.STOPPING, Phase.LEAVING) and self._flight.is_empty and not self._control:
            return self._depart()
        return []

    def room(self) -> tuple[int, int]:
        """How many rows may be sent now, and how many of them that are no alarms."""
        if self.phase not in (Phase.ONLINE, Phase.STOPPING) or self._control:
            return 0, 0
        return self._flight.room()

    def deadline_ns(self) -> int | None:
        """When `tick` wants to be called; None when only an event can change anything."""
        match self.phase:
            case Phase.FINISHED:
                return None
            case Phase.ONLINE:
                due = [self._birth_ns, self._flight.deadline_ns(), None if self._rota.is_preferred else self._probe_ns]
                return min(ns for ns in due if ns is not None)
            case _:
                return self._due_ns

    def health(self) -> UplinkHealth:
        """For the health document; any thread."""
        return UplinkHealth(
            state=SEEN_AS.get(self.phase, "offline"),
            broker=self._rota.current.url,
            reason=self._trouble.said(),
            since=None if self._since_ns is None else rfc3339(self._since_ns),
            reconnects=self.reconnects,
        )

    # -- connecting ------------------------------------------------------------------------------------------------

    def _connect(self) -> list[Instruction]:
        self.phase = Phase.CONNECTING
        self._due_ns = self._clock.monotonic_ns() + round(self._pace.connect_timeout_s * NS)
        options = ConnectOptions(
            self._identity.client_id,
            self._status("offline"),
            self._pace.will_delay_s,
            self._pace.keepalive_s,
            self._pace.session_expiry_s,
            self._pace.window,
            clean_start=self._rota.is_session_in_doubt,
        )
        return [Connect(self._rota.current, options)]

    def _opened(self, granted: Opened) -> list[Instruction]:
        if self.phase is not Phase.CONNECTING:
            return []
        if granted.maximum_qos < 1:
            return [Disconnect(), *self._refused(0x9B, "")]
        self.phase = Phase.ONLINE
        self._rota.answered()
        self._online_ns = self._clock.monotonic_ns()
        self._since_ns = self._clock.wall_ns()
        self._trouble.opened()
        self._flight.begin(granted)
        self._control.clear()
        self._probe_ns = self._online_ns + self._rota.probe_after_ns()
        self._birth_gap_ns = round(self._pace.birth_again_s * NS)
        self._birth_ns = self._online_ns + self._birth_gap_ns
        self._control.append(self._status("online"))
        return [*self._flush(), Subscribe(), Restate()]

    def _refused(self, code: int | None, why: str) -> list[Instruction]:
        self._trouble.no_line(in_words(code, why))
        self._wait(self._rota.refused(code))
        return []

    def _lost(self, event: Lost) -> list[Instruction]:
        if self.phase is Phase.CONNECTING:
            return self._refused(event.code, event.why)
        if self.phase not in CONNECTED:
            return []
        self._trouble.no_line(in_words(event.code, event.why))
        self._since_ns = self._clock.wall_ns()
        self._drop_flight()
        if self.phase is Phase.STOPPING:
            self.phase = Phase.FINISHED
            return [Release()]
        self.reconnects += 1
        steady = self._clock.monotonic_ns() - self._online_ns > self._pace.steady_s * NS
        self._wait(self._rota.lost(event.code, steady=steady))
        return [Release()]

    def _wait(self, delay_ns: int) -> None:
        self.phase = Phase.WAITING
        self._due_ns = self._clock.monotonic_ns() + delay_ns

    # -- hand-over and goodbye -------------------------------------------------------------------------------------

    def _probed(self, event: Probed) -> list[Instruction]:
        if self.phase is not Phase.ONLINE or self._rota.is_preferred or not event.reachable:
            return []
        out = self._leave()
        self._rota.return_to_preferred()
        return out

    def _leave(self) -> list[Instruction]:
        self.phase = Phase.LEAVING
        self._due_ns = self._clock.monotonic_ns() + round(self._pace.goodbye_s * NS)
        return self._flush()

    def _depart(self) -> list[Instruction]:
        # The will waits: a broker that sees the node again within `will_delay_s` drops it, one that does not tells the hub.
        self._drop_flight()
        gone: list[Instruction] = [Disconnect(with_will=True), Release()]
        if self.phase is Phase.LEAVING:
            return [*gone, *self._connect()]
        self.phase = Phase.FINISHED
        return gone

    def _drop_flight(self) -> None:
        self._flight.clear()
        self._control.clear()

    # -- sending ---------------------------------------------------------------------------------------------------

    def _flush(self) -> list[Instruction]:
        out: list[Instruction] = []
        while self.phase in CONNECTED and self._control and self._flight.has_window:
            publication = self._fitted(self._control.popleft())
            if self._flight.fits(publication):
                out.append(Send(publication, self._flight.launch(Sent(publication.topic, clears=publication.payload is None))))
        return out

    def _fitted(self, publication: Publication) -> Publication:
        if publication.retain and not self._flight.may_retain:
            return replace(publication, retain=False)
        return publication

    def _status(self, state: str) -> Publication:
        return self._identity.status(state, self._clock.wall_ns())
