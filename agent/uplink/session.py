"""The session's shell: carries the core's instructions out on transport and outbox."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from agent.base.clock import NS, Clock
from agent.base.component import Component
from agent.base.queues import BoundedQueue
from agent.events.outbox import Outbox
from agent.events.row import Row
from agent.ports.health import UplinkHealth
from agent.ports.mqtt import (
    Acknowledged,
    BrokerCredentials,
    BrokerEndpoint,
    MqttTransport,
    Publication,
    Received,
    Subscribed,
    TransportEvent,
)
from agent.uplink.credentials_watch import CredentialsWatch
from agent.uplink.full_state import FullState
from agent.uplink.instructions import (
    Cleared,
    Connect,
    Deliver,
    Disconnect,
    Instruction,
    Probe,
    Restate,
    Send,
    SetAside,
    Subscribe,
    TopicSweep,
)
from agent.uplink.limits import PACKET_TOO_LARGE
from agent.uplink.line_log import LineLog
from agent.uplink.pace import Pace
from agent.uplink.packet_size import subscriptions
from agent.uplink.phase import Phase
from agent.uplink.presence import Identity
from agent.uplink.retained import Retained
from agent.uplink.row_outcomes import RowOutcomes
from agent.uplink.session_core import SessionCore
from agent.uplink.small_health import health_publication, with_line
from agent.uplink.topics import publication_of

log = logging.getLogger(__name__)

ANNOUNCE_EVERY_NS = 5 * NS
ROUNDS_A_TURN = 20


class Session(Component):
    """One node's session with the broker. Its thread is the transport's loop: nothing else touches the connection.

    `on_message` gets every message of `filters` on this thread and must return at once; `plain_filters` say the same without
    wildcards; `greetings` are sent after every connect, after the birth message and the
    properties. `credentials` are watched: renewed files renew the handshake.
    Not critical: a node without a broker records on.
    A simulated node does not start the thread but calls `turn` with the transport's events.
    """

    critical = False
    breath_s = 1.0

    def __init__(
        self,
        identity: Identity,
        endpoints: Sequence[BrokerEndpoint],
        outbox: Outbox,
        transport: MqttTransport,
        clock: Clock,
        *,
        pace: Pace | None = None,
        dice: random.Random | None = None,
        filters: Sequence[str] = (),
        plain_filters: Sequence[str] = (),
        on_message: Callable[[Received], None] | None = None,
        greetings: Callable[[], Iterable[Publication]] = tuple,
        credentials: BrokerCredentials | None = None,
        retained: Retained | None = None,
    ) -> None:
        super().__init__("uplink", clock)
        self.identity = identity
        self._outbox = outbox
        self._outcomes = RowOutcomes(identity.topics, outbox, clock)
        self._transport = transport
        self._filters = tuple(filters)
        self._plain_filters = tuple(plain_filters)
        self._on_message = on_message
        kept = retained or Retained(None, identity.node_id, 0)
        self._state = FullState(identity.topics, outbox, kept, greetings, clock)
        self._pace = pace or Pace()
        self._core = SessionCore(identity, endpoints, clock, self._pace, dice or random.Random())  # noqa: S311 - jitter
        self._asked: BoundedQueue[Publication] = BoundedQueue(1000)
        self._health: bytes | None = None
        self._health_sent: bytes | None = None
        self._restate = False
        self._asked_for_state = threading.Event()
        self.credentials = CredentialsWatch(credentials or BrokerCredentials(), clock)
        self._announced_ns: int | None = None
        self._line = LineLog()
        outbox.committed = transport.wake

    # -- any thread ------------------------------------------------------------------------------------------------

    def publish(self, publication: Publication) -> None:
        """Send something that is no event (an answer to a command); dropped when there is no connection."""
        self._asked.put(publication)
        self._transport.wake()

    def resend(self, rows: Iterable[Row]) -> None:
        """Send again what was acknowledged before; a state is not retained by it, since it may be true no more."""
        for row in rows:
            self.publish(publication_of(row, self.identity.topics, resent=True, retained=False))

    def publish_health(self, document: bytes) -> None:
        """Send this health document, retained; only the newest counts."""
        self._health = document
        self._transport.wake()

    def request_full_state(self) -> None:
        """Send birth, properties, greetings and health anew."""
        self._asked_for_state.set()
        self._transport.wake()

    def health(self) -> UplinkHealth:
        """The line's own part of health."""
        return replace(self._core.health(), certificate_days=self.credentials.days.left())

    @property
    def acknowledged(self) -> int:
        """How many events the broker has had since the start."""
        return self._outcomes.acknowledged

    @property
    def set_aside(self) -> int:
        """How many events the broker does not take for now."""
        return self._core.set_aside

    @property
    def online(self) -> bool:
        """Whether the broker is there."""
        return self._core.phase is Phase.ONLINE

    @property
    def finished(self) -> bool:
        """Whether the goodbye is over."""
        return self._core.phase is Phase.FINISHED

    # -- the loop --------------------------------------------------------------------------------------------------

    def work(self) -> None:
        while self._core.phase is not Phase.FINISHED:
            deadline_ns = self.deadline_ns()
            wait_s = self.breath_s
            if deadline_ns is not None:
                wait_s = min(wait_s, max(0.0, (deadline_ns - self.clock.monotonic_ns()) / NS))
            self.turn(self._transport.wait(wait_s))
            self._line.tell(self._core.phase, self._core.health)
            self.progressed()

    def wake(self) -> None:
        self._transport.wake()

    def deadline_ns(self) -> int | None:
        """When `turn` wants to be called at the latest, on the monotonic clock."""
        return self._core.deadline_ns()

    def turn(self, events: Sequence[TransportEvent]) -> None:
        """Take what happened, do what is due, send what there is. Never blocks."""
        core = self._core
        if self.stopping.is_set():
            self._carry_out(core.stop())
        elif self.credentials.renewed():
            log.info("certificate or password files were renewed: connecting with the new ones")
            self._carry_out(core.renew())
        for event in events:
            if isinstance(event, Acknowledged | Received | Subscribed):
                self._outbox.heard()
            self._carry_out(core.handle(event))
        self._carry_out(core.tick())
        if core.phase is Phase.ONLINE:
            self._send_asked()
        self._send_rows()

    def _send_rows(self) -> None:
        """As many as there is room for. Rows that are set aside take up none: after some rounds of them others get their turn."""
        core = self._core
        for _ in range(ROUNDS_A_TURN):
            room, ordinary_room = core.room()
            if not room:
                self._carry_out(core.settle() if core.phase is Phase.LEAVING else [])
                return
            rows = self._outbox.take(room, ordinary_room, core.still_room)
            if not rows:
                self._carry_out(core.settle() if self._outbox.drained else [])
                return
            asked = core.send_rows(rows, self._state.retained.still_holds)
            self._carry_out(asked)
            if not all(isinstance(instruction, SetAside) for instruction in asked):
                return
        self._transport.wake()

    def _subscribe(self, asked: Subscribe) -> None:
        filters = self._plain_filters if asked.plainly else self._filters
        if asked.status:
            filters = (*filters, self.identity.topics.status)
        packets = subscriptions(filters, asked.packet_bytes)
        for packet in packets:
            self._transport.subscribe(packet)
        if sum(map(len, packets)) < len(filters):
            log.error("not every subscription fits into what the broker takes (%d bytes)", asked.packet_bytes)
        if filters and not packets:
            self._carry_out(self._core.handle(Subscribed((PACKET_TOO_LARGE,))))

    def _send_asked(self) -> None:
        if self._asked_for_state.is_set():
            self._asked_for_state.clear()
            self._carry_out(self._core.birth())
            self._restate = True
        if self._restate:
            self._restate = False
            self._send_all(self._state.publications(self._core.broker))
            if self._health is not None:
                self._health, self._health_sent = with_line(self._health, self.health()), None
        while len(self._asked):
            publication = self._asked.get(0)
            if publication is not None:
                self._carry_out(self._core.send(publication))
        if self._health is not None and self._health is not self._health_sent:
            self._send_health(self._health)
        now_ns = self.clock.monotonic_ns()
        if self._announced_ns is None or now_ns - self._announced_ns > ANNOUNCE_EVERY_NS:
            self._announced_ns = now_ns
            self._outbox.announce_drops()

    def _send_health(self, document: bytes) -> None:
        self._health_sent = document
        bounds = [most for most in (self._core.largest_packet, self._pace.health_most_bytes) if most is not None]
        publication = health_publication(self.identity.topics.health, document, min(bounds, default=None))
        self._carry_out(self._core.send(publication))

    def _send_all(self, publications: Iterable[Publication]) -> None:
        for publication in publications:
            self._carry_out(self._core.send(publication))

    def _carry_out(self, instructions: Sequence[Instruction]) -> None:
        self._state.telling(self._core.broker, instructions)
        for instruction in instructions:
            match instruction:
                case Send():
                    self._transport.publish(instruction.publication, instruction.tag)
                case TopicSweep():
                    self._send_all(self._state.clearing(self._core.broker))
                case Cleared():
                    self._state.cleared(self._core.broker, instruction.topic)
                case Connect():
                    self._transport.open(instruction.endpoint, instruction.options)
                case Disconnect():
                    if instruction.abruptly:
                        self._transport.abort()
                    else:
                        self._transport.close(with_will=instruction.with_will)
                case Subscribe():
                    self._subscribe(instruction)
                case Restate():
                    if instruction.replay:
                        self._outbox.replay()
                        self._announced_ns = None
                        self._state.opened()
                    self._restate = True
                case Deliver():
                    if self._on_message is not None:
                        self._on_message(instruction.message)
                case Probe():
                    self._transport.probe(instruction.endpoint)
                case _:
                    self._outcomes.enter(instruction)
