"""The MQTT session's decisions, free of I/O: transport events go in, instructions come out.

    waiting -> connecting -> online -> waiting ...
                               |-> leaving (hand-over: preferred broker, renewed certificate) -> connecting
                               `-> stopping -> finished
One thread. The clock and the dice are injected.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.clock import NS, Clock, rfc3339
from agent.events.event import Priority
from agent.events.row import Row
from agent.ports import (
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
from agent.uplink.health import UplinkHealth
from agent.uplink.reasons import NEVER_ACCEPTED, NOBODY_SUBSCRIBED, REFUSED_FROM, in_words
from agent.uplink.topics import NodeTopics, publication_of


@dataclass(frozen=True, slots=True)
class Identity:
    """Who speaks: the node, and this run of it."""

    node_id: str
    prefix: str
    version: str
    boot_id: str

    @property
    def topics(self) -> NodeTopics:
        return NodeTopics(self.prefix, self.node_id)

    @property
    def client_id(self) -> str:
        """Stable across restarts, so that the broker keeps the session."""
        return f"{self.prefix.replace('/', '-')}-{self.node_id}"


@dataclass(frozen=True, slots=True)
class Pace:
    """Times and rates of a session; the defaults suit 4G as well as fibre.

    `alarm_room` of the `window` is kept free for alarms; everything else drains at `drain_per_s` after an outage.
    A broker that lost its memory takes events before the hub has subscribed again, and throws them away: for `audience_s`
    after a connect an event that nobody was subscribed to is kept and offered again every `hush_s`.
    """

    window: int = 20
    alarm_room: int = 4
    drain_per_s: float = 200.0
    drain_burst: float = 100.0
    keepalive_s: int = 15
    session_expiry_s: int = 24 * 3600
    will_delay_s: int = 20
    connect_timeout_s: float = 15.0
    stall_s: float = 20.0
    backoff_s: float = 5.0
    backoff_most_s: float = 20.0
    steady_s: float = 30.0
    fail_back_s: float = 300.0
    goodbye_s: float = 3.0
    audience_s: float = 120.0
    hush_s: float = 2.0


class Phase(StrEnum):
    """Where the session stands."""

    WAITING = "waiting"
    CONNECTING = "connecting"
    ONLINE = "online"
    LEAVING = "leaving"
    STOPPING = "stopping"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Connect:
    """Instruction: open a connection to this broker."""

    endpoint: BrokerEndpoint
    options: ConnectOptions


@dataclass(frozen=True, slots=True)
class Send:
    """Instruction: hand this to the transport."""

    publication: Publication
    tag: int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Instruction: subscribe to the session's filters."""


@dataclass(frozen=True, slots=True)
class Restate:
    """Instruction: hand over the full state (properties, greetings), the broker may have lost it."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Instruction: the broker has this row."""

    sequence: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Instruction: the broker will never take this row."""

    sequence: int
    why: str


@dataclass(frozen=True, slots=True)
class Release:
    """Instruction: what was in flight must be taken again."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Instruction: end the connection; `abruptly` when the other side no longer answers."""

    with_will: bool = False
    abruptly: bool = False


@dataclass(frozen=True, slots=True)
class Deliver:
    """Instruction: a message for the command handler."""

    message: Received


@dataclass(frozen=True, slots=True)
class Probe:
    """Instruction: see whether this broker can be reached."""

    endpoint: BrokerEndpoint


Instruction = Connect | Send | Subscribe | Restate | Forget | GiveUp | Release | Disconnect | Deliver | Probe

CONTROL_MOST = 2000
# Refusals a retry will not cure soon: version, client id, credentials, access list, ban, taken over by a twin.
_STUBBORN = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8E})


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
        self._endpoints = tuple(endpoints)
        self._clock = clock
        self._pace = pace
        self._dice = dice
        self._chosen = 0
        self._next = 0
        self._failures = 0
        self._why = "not connected yet"
        self._since_ns: int | None = None
        self._online_ns = 0
        self._due_ns = clock.monotonic_ns()
        self._granted = Opened(session_present=False)
        self._tag = 0
        self._in_flight: dict[int, int | None] = {}
        self._ordinary_tags: set[int] = set()
        self._control: deque[Publication] = deque()
        self._heard_ns = 0
        self._tokens = pace.drain_burst
        self._tokens_ns = clock.monotonic_ns()
        self._probe_ns = 0
        self._audience = False
        self._hush_ns = 0

    # -- what happens ----------------------------------------------------------------------------------------------

    def handle(self, event: TransportEvent) -> list[Instruction]:
        """Take one event of the transport."""
        match event:
            case Opened():
                return self._opened(event)
            case Refused():
                return self._failed(event.code, in_words(event.code, event.why)) if self.phase is Phase.CONNECTING else []
            case Lost():
                return self._lost(event)
            case Acknowledged():
                return self._acknowledged(event)
            case Received():
                self._heard_ns = self._clock.monotonic_ns()
                return [Deliver(event)]
            case Subscribed():
                refused = [code for code in event.codes if code >= REFUSED_FROM]
                if refused:
                    self._why = f"commands cannot be received: {in_words(refused[0])}"
                return []
            case Probed():
                return self._probed(event)

    def tick(self) -> list[Instruction]:
        """Do what time asks for: call when `deadline_ns` has come."""
        now_ns = self._clock.monotonic_ns()
        if self.phase is Phase.WAITING and now_ns >= self._due_ns:
            return self._connect()
        if self.phase is Phase.CONNECTING and now_ns >= self._due_ns:
            return [Disconnect(abruptly=True), *self._failed(None, "the broker does not answer")]
        if self.phase in (Phase.STOPPING, Phase.LEAVING) and now_ns >= self._due_ns:
            return self._depart()
        if self.phase is Phase.ONLINE:
            if self._in_flight and now_ns - self._heard_ns > self._pace.stall_s * NS:
                return [Disconnect(abruptly=True), *self._lost(Lost(None, "the broker no longer acknowledges"))]
            if self._chosen > 0 and now_ns >= self._probe_ns:
                self._schedule_probe()
                return [Probe(self._endpoints[0])]
        return self._flush()

    def birth(self) -> list[Instruction]:
        """Say again who is here."""
        return self.send(self._status("online")) if self.phase is Phase.ONLINE else []

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
            if self._too_large(publication):
                out.append(GiveUp(row.sequence, "larger than the broker takes"))
                continue
            tag = self._next_tag(row.sequence)
            if row.priority is not Priority.ALARM:
                self._ordinary_tags.add(tag)
                self._tokens -= 1
            out.append(Send(publication, tag))
        return out

    # -- what the shell asks ---------------------------------------------------------------------------------------

    def room(self) -> tuple[int, int]:
        """How many rows may be sent now, and how many of them that are no alarms."""
        if self.phase not in (Phase.ONLINE, Phase.STOPPING) or self._control:
            return 0, 0
        self._refill()
        if not self._heard_by_someone():
            one = int(not self._in_flight and self._clock.monotonic_ns() >= self._hush_ns)
            return one, one
        window = self._window
        room = max(0, window - len(self._in_flight))
        for_others = max(1, window - self._pace.alarm_room) - len(self._ordinary_tags)
        return room, max(0, min(room, for_others, int(self._tokens)))

    def deadline_ns(self) -> int | None:
        """When `tick` wants to be called; None when only an event can change anything."""
        now_ns = self._clock.monotonic_ns()
        match self.phase:
            case Phase.FINISHED:
                return None
            case Phase.ONLINE:
                due = [self._heard_ns + round(self._pace.stall_s * NS) + 1] if self._in_flight else []
                if self._chosen > 0:
                    due.append(self._probe_ns)
                if not self._audience and self._hush_ns > now_ns:
                    due.append(self._hush_ns)
                if self._tokens < 1:
                    due.append(now_ns + NS // 20)
                return min(due, default=None)
            case _:
                return self._due_ns

    @property
    def idle(self) -> bool:
        """Nothing waits for an acknowledgement."""
        return not self._in_flight and not self._control

    def settle(self) -> list[Instruction]:
        """Called when the outbox has nothing more to give: ends a goodbye early."""
        if self.phase in (Phase.STOPPING, Phase.LEAVING) and self.idle:
            return self._depart()
        return []

    def health(self) -> UplinkHealth:
        """For the health document; any thread."""
        state = {Phase.ONLINE: "online", Phase.LEAVING: "online", Phase.CONNECTING: "connecting", Phase.STOPPING: "stopping"}.get(
            self.phase, "offline"
        )
        return UplinkHealth.model_validate(
            {
                "state": state,
                "broker": self._endpoints[self._chosen].url,
                "reason": self._why,
                "since": None if self._since_ns is None else rfc3339(self._since_ns),
                "reconnects": self.reconnects,
            }
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
        )
        return [Connect(self._endpoints[self._chosen], options)]

    def _opened(self, granted: Opened) -> list[Instruction]:
        if self.phase is not Phase.CONNECTING:
            return []
        if granted.maximum_qos < 1:
            return [Disconnect(), *self._failed(0x9B, in_words(0x9B))]
        self.phase = Phase.ONLINE
        self._granted = granted
        self._online_ns = self._heard_ns = self._clock.monotonic_ns()
        self._since_ns = self._clock.wall_ns()
        self._why = ""
        self._in_flight.clear()
        self._ordinary_tags.clear()
        self._control.clear()
        self._tokens, self._tokens_ns = self._pace.drain_burst, self._online_ns
        self._audience = False
        self._hush_ns = 0
        self._schedule_probe()
        self._control.append(self._status("online"))
        return [*self._flush(), Subscribe(), Restate()]

    def _failed(self, code: int | None, why: str) -> list[Instruction]:
        """Next broker in the list; once all have been tried, wait longer."""
        self._why = why
        self._chosen = (self._chosen + 1) % len(self._endpoints)
        round_over = self._chosen == 0
        self._wait(self._failures if round_over else 0, stubborn=round_over and code in _STUBBORN)
        if round_over:
            self._failures += 1
        return []

    def _wait(self, failures: int, *, stubborn: bool) -> None:
        """Full jitter: nodes that lost the same broker at the same instant do not come back at the same instant."""
        most_s = min(self._pace.backoff_most_s, self._pace.backoff_s * 2.0 ** min(failures, 16))
        delay_s = self._dice.uniform(0, most_s) + (self._pace.backoff_most_s if stubborn else 0.0)
        self.phase = Phase.WAITING
        self._due_ns = self._clock.monotonic_ns() + round(delay_s * NS)

    def _lost(self, event: Lost) -> list[Instruction]:
        if self.phase not in (Phase.ONLINE, Phase.STOPPING, Phase.LEAVING, Phase.CONNECTING):
            return []
        if self.phase is Phase.CONNECTING:
            return self._failed(event.code, in_words(event.code, event.why))
        stopping = self.phase is Phase.STOPPING
        now_ns = self._clock.monotonic_ns()
        self._why = in_words(event.code, event.why)
        self._since_ns = self._clock.wall_ns()
        self._in_flight.clear()
        self._ordinary_tags.clear()
        self._control.clear()
        if stopping:
            self.phase = Phase.FINISHED
            return [Release()]
        self.reconnects += 1
        if now_ns - self._online_ns > self._pace.steady_s * NS:
            self._failures = 0
        self._wait(self._failures, stubborn=event.code in _STUBBORN)
        self._failures += 1
        return [Release()]

    # -- hand-over and goodbye -------------------------------------------------------------------------------------

    def _schedule_probe(self) -> None:
        jitter_s = self._dice.uniform(0.8, 1.2) * self._pace.fail_back_s
        self._probe_ns = self._clock.monotonic_ns() + round(jitter_s * NS)

    def _probed(self, event: Probed) -> list[Instruction]:
        if self.phase is not Phase.ONLINE or self._chosen == 0 or not event.reachable:
            return []
        self._control.appendleft(self._status("offline"))
        return self._leave_for(0)

    def renew(self) -> list[Instruction]:
        """Shake hands again with the same broker, to show it renewed certificates; no will, nobody notices."""
        return self._leave_for(self._chosen) if self.phase is Phase.ONLINE else []

    def _leave_for(self, endpoint: int) -> list[Instruction]:
        self.phase = Phase.LEAVING
        self._next = endpoint
        self._due_ns = self._clock.monotonic_ns() + round(self._pace.goodbye_s * NS)
        return self._flush()

    def _depart(self) -> list[Instruction]:
        leaving = self.phase is Phase.LEAVING
        self._in_flight.clear()
        self._ordinary_tags.clear()
        self._control.clear()
        if leaving:
            self._chosen = self._next
            return [Disconnect(), Release(), *self._connect()]
        self.phase = Phase.FINISHED
        return [Disconnect(with_will=True), Release()]

    # -- sending ---------------------------------------------------------------------------------------------------

    @property
    def _window(self) -> int:
        return max(1, min(self._pace.window, self._granted.receive_maximum))

    def _flush(self) -> list[Instruction]:
        out: list[Instruction] = []
        if self.phase in (Phase.ONLINE, Phase.STOPPING, Phase.LEAVING):
            while self._control and len(self._in_flight) < self._window:
                publication = self._fitted(self._control.popleft())
                if not self._too_large(publication):
                    out.append(Send(publication, self._next_tag(None)))
        return out

    def _heard_by_someone(self) -> bool:
        """Whether a subscriber has been seen in this connection, or was waited for long enough."""
        waited_ns = self._clock.monotonic_ns() - self._online_ns
        return self._audience or waited_ns > self._pace.audience_s * NS

    def _next_tag(self, sequence: int | None) -> int:
        if not self._in_flight:
            self._heard_ns = self._clock.monotonic_ns()
        self._tag += 1
        self._in_flight[self._tag] = sequence
        return self._tag

    def _acknowledged(self, event: Acknowledged) -> list[Instruction]:
        self._heard_ns = self._clock.monotonic_ns()
        if event.tag not in self._in_flight:
            return []
        sequence = self._in_flight.pop(event.tag)
        self._ordinary_tags.discard(event.tag)
        if event.code == NOBODY_SUBSCRIBED and sequence is not None and not self._heard_by_someone():
            self._hush_ns = self._clock.monotonic_ns() + round(self._pace.hush_s * NS)
            self._why = "nobody is subscribed to this node's events"
            return [Release(), *self._flush()]
        if event.code < NOBODY_SUBSCRIBED and not self._audience:
            self._audience = True
            self._why = ""
        if event.code < REFUSED_FROM:
            return [*([] if sequence is None else [Forget(sequence)]), *self._flush()]
        self._why = in_words(event.code)
        if sequence is None:
            return self._flush()
        if event.code in NEVER_ACCEPTED:
            return [GiveUp(sequence, in_words(event.code)), *self._flush()]
        # Refused for now (quota, access list): keep the row, take a rest, and try everything again on a new connection.
        return [Disconnect(), *self._lost(Lost(event.code, ""))]

    def _fitted(self, publication: Publication) -> Publication:
        if publication.retain and not self._granted.retain_available:
            return Publication(
                publication.topic,
                publication.payload,
                publication.qos,
                False,
                publication.user_properties,
                publication.expiry_s,
                publication.response_topic,
                publication.correlation_data,
                publication.content_type,
            )
        return publication

    def _too_large(self, publication: Publication) -> bool:
        most = self._granted.maximum_packet_bytes
        if most is None:
            return False
        properties = sum(len(k) + len(v) + 5 for k, v in publication.user_properties)
        return len(publication.payload or b"") + len(publication.topic) * 3 + properties + 128 > most

    def _refill(self) -> None:
        now_ns = self._clock.monotonic_ns()
        gained = (now_ns - self._tokens_ns) / NS * self._pace.drain_per_s
        self._tokens = min(self._pace.drain_burst, self._tokens + gained)
        self._tokens_ns = now_ns

    def _status(self, state: str) -> Publication:
        document = {
            "state": state,
            "since": rfc3339(self._clock.wall_ns()),
            "version": self._identity.version,
            "boot_id": self._identity.boot_id,
        }
        return Publication(self._topics.status, json.dumps(document).encode(), 1, True, content_type="application/json")
