"""The line to the hub as a feature: the session, and the commands that come by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import UplinkError
from agent.base.feature import Feature, Setting
from agent.base.phrase import say
from agent.config.model import Config, Mqtt
from agent.events.outbox import Outbox
from agent.journal.entry import Journal
from agent.operations import payloads
from agent.operations.arguments import Arguments
from agent.operations.caller import Caller
from agent.operations.desk import Desk
from agent.operations.operation import Operation
from agent.operations.verbs import COMMANDS, VERBS
from agent.ports.health import UplinkHealth
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, MqttTransport, Publication
from agent.uplink import aside
from agent.uplink.commands import Commands
from agent.uplink.home_assistant import discovery
from agent.uplink.presence import Identity
from agent.uplink.replay_cache import ReplayCache
from agent.uplink.retained import Retained
from agent.uplink.rhythm import pace_of
from agent.uplink.session import Session
from agent.uplink.topics import NodeTopics

RESENT_AT_ONCE = 500


class UplinkFeature(Feature[Config]):
    """`open_transport` makes an MQTT connection yet to be opened. Without a broker there is no session, and no command comes."""

    topics = aside.TOPICS
    keys = ("mqtt",)

    def __init__(
        self,
        config: Config,
        outbox: Outbox,
        desk: Desk,
        journal: Journal,
        open_transport: Callable[[BrokerCredentials], MqttTransport],
        clock: Clock,
        *,
        version: str,
        boot: str,
    ) -> None:
        self._begun = self._config = config
        self._mqtt = config.mqtt
        self._outbox = outbox
        self._open_transport = open_transport
        self._clock = clock
        self._version = version
        self._boot = boot
        self._retained: Retained | None = None
        self._commands = Commands(
            lambda: topics_of(self._mqtt, config.node.id),
            lambda: self._mqtt.command_key_file if self._mqtt is not None else None,
            ReplayCache(config.node.state_dir / "commands.sqlite3", clock),
            journal,
            desk,
            self._publish,
            clock,
        )
        self.session = self._session()

    def components(self) -> Sequence[Component]:
        """Stopped in reverse: the line to the hub closes after the last event of everybody else is on its way."""
        return (self._commands,) if self.session is None else (self.session, self._commands)

    def settings(self) -> Sequence[Setting[Config]]:
        consequence = "the session with the broker is opened anew; what is not sent yet waits in the outbox"
        return (Setting(("mqtt",), consequence, self._open_anew),)

    def operations(self) -> Sequence[Operation]:
        return (Operation(VERBS["request-full-state"], self._full_state), Operation(VERBS["resend"], self._resend))

    def health(self) -> Mapping[str, Any]:
        """The line, and what waits for it."""
        session = self.session
        return {
            "uplink": session.health() if session is not None else UplinkHealth(reason=say("no broker is configured")),
            "outbox": self._outbox.metrics().health(session.set_aside if session is not None else 0),
        }

    def sentence(self) -> str:
        return f"centre {self.session.health().state}" if self.session is not None else "no centre configured"

    def summary(self) -> Mapping[str, Any]:
        return {"acknowledged": self.session.acknowledged if self.session is not None else 0}

    def vouched(self, name: str, token: str) -> tuple[Arguments, Caller]:
        """See `Commands.vouched`."""
        return self._commands.vouched(name, token)

    def publish_health(self, document: bytes) -> None:
        """Hand a health document to whichever session there is; any thread."""
        if (session := self.session) is not None:
            session.publish_health(document)

    def _publish(self, publication: Publication) -> None:
        if (session := self.session) is not None:
            session.publish(publication)

    def _open_anew(self, new: Config) -> None:
        self._config, self._mqtt = new, new.mqtt
        self.session = self._session()

    def _session(self) -> Session | None:
        """The line to the hub, when one is configured."""
        mqtt, node = self._mqtt, self._begun.node
        if mqtt is None:
            return None
        if self._retained is None:
            self._retained = Retained(node.state_dir / "retained.json", node.id, self._outbox.metrics().sequence)
        identity = Identity(node.id, mqtt.prefix, self._version, self._boot, mqtt.home_assistant_prefix)
        return Session(
            identity,
            [BrokerEndpoint.of(url) for url in (mqtt.url, *mqtt.fallback_urls)],
            self._outbox,
            self._open_transport(credentials_of(mqtt)),
            self._clock,
            pace=pace_of(self._config),
            filters=[identity.topics.commands],
            plain_filters=[identity.topics.command(verb) for verb in COMMANDS],
            on_message=self._commands.offer,
            greetings=lambda: [discovery(identity.topics, node.site)] if mqtt.home_assistant else [],
            credentials=credentials_of(mqtt),
            retained=self._retained,
        )

    def _resend(self, request: payloads.Resend, _: object) -> payloads.Resent:
        session = self._connected()
        found = self._outbox.again(request.epoch, request.from_, request.to, RESENT_AT_ONCE)
        session.resend(found.rows)
        ahead = None if found.reached >= request.to else found.reached + 1
        gone = found.reached - request.from_ + 1 - len(found.rows) - found.waiting
        return payloads.Resent(resent=len(found.rows), waiting=found.waiting, gone=gone, next=ahead)

    def _full_state(self, _asked: payloads.RequestFullState, _by: object) -> payloads.Done:
        self._connected().request_full_state()
        return payloads.Done()

    def _connected(self) -> Session:
        if self.session is None:
            raise UplinkError(say("no broker is configured"))
        return self.session


def topics_of(mqtt: Mqtt | None, node_id: str) -> NodeTopics:
    """Where the node speaks, or would."""
    return NodeTopics("vigie", node_id) if mqtt is None else NodeTopics(mqtt.prefix, node_id, mqtt.home_assistant_prefix)


def credentials_of(mqtt: Mqtt) -> BrokerCredentials:
    """What a node of this configuration shows its brokers."""
    return BrokerCredentials(mqtt.username, mqtt.password_file, mqtt.ca_file, mqtt.cert_file, mqtt.key_file)
