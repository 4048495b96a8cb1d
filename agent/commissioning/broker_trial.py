"""One session with a broker as the daemon would have it: let in or not, on which terms, and what it takes of this node."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from agent import __version__
from agent.base.clock import Clock
from agent.base.topic import Topic
from agent.commissioning.trial_topics import trials
from agent.config.model import Config
from agent.operations.verbs import COMMANDS
from agent.ports.mqtt import (
    Acknowledged,
    BrokerEndpoint,
    ConnectOptions,
    Lost,
    MqttTransport,
    Opened,
    Publication,
    RefusedConnection,
    Subscribed,
    TransportEvent,
)
from agent.uplink.connect_options import connect_options
from agent.uplink.home_assistant import discovery
from agent.uplink.limits import KnownLimits, Limits
from agent.uplink.pace import Pace
from agent.uplink.packet_size import packet_bytes
from agent.uplink.presence import Identity
from agent.uplink.reasons import REFUSED_FROM, in_words

LOGIN_PATIENCE_S = 15.0
ANSWER_PATIENCE_S = 8.0
LOST_MOST = 8


class Trial(Struct, frozen=True):
    """What came of it. `refused` None: let in. `topics` are those it does not take, each with the reason."""

    refused: RefusedConnection | None = None
    limits: Limits = Limits()
    tried: int = 0
    topics: tuple[tuple[str, str], ...] = ()
    commands: str = ""
    """Why commands cannot be received; empty when they can."""


class BrokerTrial:
    """`beside`: the daemon runs, and its session and client id are left alone."""

    def __init__(self, transport: MqttTransport, identity: Identity, clock: Clock, *, beside: bool) -> None:
        self._transport = transport
        self._identity = identity
        self._clock = clock
        self._beside = beside
        self._known = KnownLimits(clock)
        self._limits = Limits()

    def run(self, endpoint: BrokerEndpoint, publications: Sequence[Publication], plain_filters: Sequence[str]) -> Trial:
        """Log in, subscribe to commands, publish everything. No will is left, and no session but the daemon's own."""
        try:
            refused = self._log_in(endpoint)
            if refused is not None:
                return Trial(refused)
            filters = [self._identity.topics.commands] if self._limits.wildcards else plain_filters
            self._transport.subscribe(filters)
            heard = self._wait(Subscribed, ANSWER_PATIENCE_S)
            commands = self._why_no_commands(heard)
            if isinstance(heard, Lost) and self._log_in(endpoint) is not None:
                return Trial(limits=self._limits, commands=commands)
            return self._publish(endpoint, publications, commands)
        finally:
            self._transport.close()

    def _log_in(self, endpoint: BrokerEndpoint) -> RefusedConnection | None:
        while True:
            self._transport.open(endpoint, self._options(endpoint))
            said = self._wait((Opened, RefusedConnection), LOGIN_PATIENCE_S)
            if isinstance(said, Opened):
                self._limits = self._known.opened(endpoint, said)
                return None
            refused = (
                said
                if isinstance(said, RefusedConnection)
                else RefusedConnection(None, f"it does not answer in {LOGIN_PATIENCE_S:.0f} s")
            )
            if not self._known.learn(endpoint, refused.code):
                return refused

    def _options(self, endpoint: BrokerEndpoint) -> ConnectOptions:
        options = connect_options(self._identity, self._known.of(endpoint), Pace(), self._clock.wall_ns())
        if not self._beside:
            return options
        # A second client of the daemon's id would throw it off; a session of our own would outlive us.
        return ConnectOptions(
            f"{options.client_id}-doctor",
            options.will,
            options.will_delay_s,
            options.keepalive_s,
            0,
            options.receive_maximum,
        )

    def _publish(self, endpoint: BrokerEndpoint, publications: Sequence[Publication], commands: str) -> Trial:
        refused: list[tuple[str, str]] = []
        lost = tried = 0
        for tag, publication in enumerate(publications, 1):
            fitted = self._limits.fitted(publication)
            if self._limits.packet_bytes is not None and packet_bytes(fitted) > self._limits.packet_bytes:
                continue
            self._transport.publish(fitted, tag)
            tried += 1
            answer = self._wait(Acknowledged, ANSWER_PATIENCE_S)
            why = _why_not(answer)
            if why:
                refused.append((publication.topic, why))
            if not isinstance(answer, Acknowledged):
                lost += 1
                if lost >= LOST_MOST or self._log_in(endpoint) is not None:
                    break
        return Trial(None, self._limits, tried, tuple(refused), commands)

    def _why_no_commands(self, heard: TransportEvent | None) -> str:
        if isinstance(heard, Subscribed):
            refused = [code for code in heard.codes if code >= REFUSED_FROM]
            return in_words(refused[0]) if refused else ""
        return in_words(heard.code, heard.why) if isinstance(heard, Lost) else "the subscription is not answered"

    def _wait(self, kinds: type | tuple[type, ...], patience_s: float) -> TransportEvent | None:
        """The first event of a kind, or that the line broke; None when nothing came in time."""
        until_s = time.monotonic() + patience_s
        while (left_s := until_s - time.monotonic()) > 0:
            for event in self._transport.wait(min(left_s, 0.5)):
                if isinstance(event, _with_lost(kinds)):
                    return event
        return None


def _with_lost(kinds: type | tuple[type, ...]) -> tuple[type, ...]:
    return (*kinds, Lost) if isinstance(kinds, tuple) else (kinds, Lost)


def _why_not(answer: TransportEvent | None) -> str:
    match answer:
        case Acknowledged(code=code):
            return in_words(code) if code >= REFUSED_FROM else ""
        case Lost():
            return f"the broker ends the connection over it: {in_words(answer.code, answer.why)}"
        case _:
            return "the broker does not answer"


def trial_of(
    config: Config, open_transport: Callable[[], MqttTransport], told: Sequence[Topic], clock: Clock
) -> Callable[[BrokerEndpoint, bool], Trial] | None:
    """A trial of this node, through its own MQTT driver, for each broker of the list; None where none is configured.

    `told` are the topics of every feature.
    """
    mqtt = config.mqtt
    if mqtt is None:
        return None
    identity = Identity(config.node.id, mqtt.prefix, __version__, "doctor", mqtt.home_assistant_prefix)
    topics = identity.topics
    announcement = discovery(topics, config.node.site) if mqtt.home_assistant else None
    publications = list(trials(topics, told, clock.wall_ns(), announcement))
    plain_filters = [topics.command(verb) for verb in COMMANDS]

    def run(endpoint: BrokerEndpoint, beside: bool) -> Trial:
        return BrokerTrial(open_transport(), identity, clock, beside=beside).run(endpoint, publications, plain_filters)

    return run
