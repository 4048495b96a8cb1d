"""The composition root: which parts a node has, and the order in which they start. Its drivers come from `agent.node.drivers`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from agent import __version__, alarms
from agent.analytics.event_stills import EventStills
from agent.analytics.frozen_picture import FrozenPictureDetector
from agent.analytics.mask_state import PrivacyMaskDetector
from agent.analytics.motion import MotionDetector
from agent.analytics.picture_gauge import PictureGauge
from agent.analytics.tampering import TamperDetector
from agent.base.clock import Clock, SystemClock
from agent.base.component import Component
from agent.base.state_directory import only_daemon, writable
from agent.board.monitor import BoardMonitor
from agent.board.thresholds import BoardWatch
from agent.commissioning.start import warn_of_room
from agent.config.digest import config_digest
from agent.config.model import LIVE_DRIVERS, Config, Mqtt
from agent.console.feed import EventTap
from agent.console.preview import Preview
from agent.console.server import Console
from agent.events.outbox import Outbox
from agent.events.outbox_store import OutboxStore
from agent.identity.node_key import NodeSigner
from agent.journal.folded_looks import FoldedLooks
from agent.journal.parts import bytes_on
from agent.journal.register import Register
from agent.journal.registrar import Registrar
from agent.mask.privacy_mask import PrivacyMask
from agent.node.drivers import (
    compute_alone,
    credentials_of,
    give_back_memory,
    new_encoder,
    open_board,
    open_camera,
    open_muxer,
    open_service_manager,
    open_transport,
    topics_of,
)
from agent.node.node import Node, Parts
from agent.node.own_key import media_signer, own_key, own_key_if_wanted
from agent.node.reloading import Reloading
from agent.node.supervisor import Supervisor
from agent.node.withdrawal import withdraw
from agent.operations.control_socket import ControlSocket, Verb, socket_path
from agent.operations.operations import Answering
from agent.operations.verbs import VERBS
from agent.picture.caption import Caption
from agent.picture.sameness import Sameness
from agent.ports.mqtt import BrokerEndpoint, Publication
from agent.ports.video import Encoder
from agent.recording.catalog import Catalog
from agent.recording.hold import Holds
from agent.recording.reconcile import open_catalog
from agent.recording.recorder import Recorder
from agent.recording.retention import Retention
from agent.recording.sweeper import Sweeper
from agent.recording.trusted_time import boot_id
from agent.stream.capture import Capture
from agent.stream.masking import Masking
from agent.stream.pipeline import Detector, Pipeline
from agent.stream.snapshot import Snapshot
from agent.uplink.commands import Commands
from agent.uplink.health import HealthPublisher
from agent.uplink.home_assistant import discovery
from agent.uplink.presence import Identity
from agent.uplink.retained import Retained
from agent.uplink.session import Session
from agent.uplink.spent_tokens import SpentTokens
from agent.view.commissioning import ViewSample, checked_name, enter_nudge, may_be_validated, push_of, validate_view
from agent.view.guard import Guard, guard_for
from agent.view.live_validation import LiveValidation
from agent.view.push import Tell
from agent.view.store import Verifier
from agent.view.verdict import Verdict

log = logging.getLogger(__name__)


def validate(
    config: Config, *, by: str, clock: Clock, lift: bool = False, nudge: bool = False, tell: Tell = lambda _: None
) -> Verdict:
    """Take and sign the reference of this view while no daemon holds the camera, and enter it in the register.

    A film is read as fast as it goes. With `nudge` the technician pushes the camera after the view was seen at rest: entered
    before the camera is opened. `tell` hears what to do now, in words. MaskError when the view cannot be guarded.
    """
    by, state_dir = checked_name(by), config.node.state_dir
    may_be_validated(config, state_dir, lift=lift)
    signer, key_is_new = own_key(config)
    register = Register(state_dir / "register.jsonl", clock, signer, node=config.node.id, key_is_new=key_is_new)
    if nudge:
        enter_nudge(register, config, by)
    camera = open_camera(replace(config.camera, realtime=False), clock)
    camera.open()
    try:
        sample = ViewSample().watch(camera, clock, tell)
        pushed = push_of(sample, config, tell).read(camera, clock) if nudge else None
    finally:
        camera.close()
    return validate_view(sample, config, state_dir, signer.sign, register, by=by, clock=clock, lift=lift, nudge=pushed)


def build(config: Config, config_path: Path, *, clock: Clock | None = None) -> Node:
    """A node ready to run. Raises VigieError when it cannot be put together; nothing runs yet."""
    compute_alone()
    node = _Builder(config, config_path, clock or SystemClock()).node()
    withdraw(node.parts.outbox, config, node.parts.clock)
    give_back_memory()
    node.when_under_way = give_back_memory
    return node


class _Builder:
    """Makes the parts in the order in which they depend on each other. Lives only while `build` runs."""

    def __init__(self, config: Config, config_path: Path, clock: Clock) -> None:
        self.config = config
        self.config_path = config_path
        self.clock = clock
        self.boot = boot_id()
        self.state_dir = writable(config.node.state_dir)
        self.claim = only_daemon(self.state_dir)
        self.recordings = writable(config.recordings_dir)
        self.snapshot = Snapshot(self.clock)
        self.sameness = Sameness() if config.camera.driver in LIVE_DRIVERS else None
        self.asked: Commands | None = None
        self.retained: Retained | None = None

    def node(self) -> Node:
        config, clock, token = self.config, self.clock, self.config.node.id
        outbox = Outbox(OutboxStore(self.state_dir / "outbox.sqlite3", clock), clock)
        events = EventTap(outbox)

        def alarm(sentence: str) -> None:
            log.error("%s", sentence)
            events.raise_event(alarms.of_register(sentence, clock.wall_ns(), token))

        signer, key_is_new = own_key_if_wanted(config)
        key = signer if isinstance(signer, NodeSigner) else None
        register_path = self.state_dir / "register.jsonl"
        register = Register(register_path, clock, key, alarm, node=token, key_is_new=key_is_new)
        if trouble := register.trouble():
            alarm(trouble)
        looks = FoldedLooks(register, clock)
        registrar = Registrar(register=register, clock=clock, hand_on=outbox.enter_register, settle=looks.settle)
        catalog = open_catalog(self.state_dir / "catalog.sqlite3", self.recordings, register_path)
        warn_of_room(config, catalog)
        camera = open_camera(config.camera, clock)
        capture = Capture(camera, clock, lossless=_is_lossless(config), sameness=self.sameness)
        validation = LiveValidation(lambda: node.config, self.state_dir, signer.sign, register, clock)
        masking = Masking(capture, *self.privacy(config, signer), validation)
        encoders: list[Encoder] = []

        def fresh_encoder() -> Encoder:
            encoders[:] = [new_encoder(config, camera)]
            return encoders[0]

        recorder = Recorder(
            clock=clock,
            catalog=catalog,
            directory=self.recordings,
            muxer=open_muxer(),
            video=lambda: encoders[0].format,
            journal=register,
            boot=self.boot,
            segment_seconds=config.recording.segment_seconds,
            report=lambda fault: events.raise_event(alarms.of_recording(fault, token)),
            close=lambda: pipeline.close_open_gop(),  # noqa: PLW0108 - it is made below
        )
        events.raise_event(alarms.of_start(clock.wall_ns(), token))
        retention = self.retention(config, catalog, register)
        sweeper = Sweeper(
            clock=clock,
            retention=retention,
            report=lambda short: events.raise_event(alarms.of_shortfall(short, clock.wall_ns(), token)),
            alarm=lambda trouble: events.raise_event(alarms.of_sweep(trouble, clock.wall_ns(), token)),
        )
        preview, gauge = Preview(clock, looks), PictureGauge()

        def signing(trouble: str) -> None:
            events.raise_event(alarms.of_signing(trouble, clock.wall_ns(), token))

        film_signer = media_signer(config, key, catalog, signing)
        pipeline = Pipeline(
            masking,
            fresh_encoder,
            clock,
            sinks=[recorder],
            signer=film_signer,
            detectors=self.detectors(config),
            viewers=[preview, gauge, self.snapshot],
            events=events,
            illustrator=EventStills(events, lambda: (mqtt := node.config.mqtt) is not None and mqtt.event_stills),
        )
        board = BoardMonitor(
            open_board(), BoardWatch(config.board, clock), events, clock, lambda: str(recorder.figures()["trouble"])
        )
        holds = Holds(catalog, register, clock)
        parts = Parts(clock, capture, masking, pipeline, film_signer, recorder, sweeper, holds, catalog, outbox, board, register)
        node = Node(config, config_digest(config), parts)
        node.publisher = HealthPublisher(
            config.node.id,
            __version__,
            clock,
            node.providers(),
            node.publish_health,
            config.mqtt.health_seconds if config.mqtt else 10.0,
        )
        self.asked = self.commands(lambda: node, register)
        node.session = self.session(config, outbox)
        # Stopped in reverse: the line to the centre closes after the last event of everybody else is on its way.
        line = [] if node.session is None else [node.session]
        heard = [*line, self.asked, registrar]
        components: list[Component] = [outbox, *heard, node.publisher, recorder, pipeline, capture, sweeper, board]
        verbs: dict[str, Verb] = {
            "status": lambda _: node.health(),
            "picture": lambda _: gauge.figures(),
            "masks-validate": validation.answer,
            "masks-progress": validation.progress,
        }
        components.append(ControlSocket(socket_path(self.state_dir), verbs, clock))
        if config.console.enabled:
            page = config.console
            console = Console(page.host, page.port, clock, health=node.health, preview=preview, events=events)
            components.append(console)
        node.supervisor = Supervisor(
            components, clock, open_service_manager(), ready=node.ready, over=node.over, sentence=node.sentence
        )
        node.apply = Reloading(self.config_path, node, self, signer).apply
        node.claim = self.claim
        return node

    def retention(self, config: Config, catalog: Catalog, register: Register) -> Retention:
        """What destroys footage on its day."""
        return Retention(
            catalog=catalog,
            clock=self.clock,
            boot=self.boot,
            journal=register,
            retention_days=config.recording.retention_days,
            min_free_bytes=config.recording.min_free_bytes,
            register_bytes=lambda disk: bytes_on(register.path, disk),
        )

    def privacy(self, config: Config, verifier: Verifier) -> tuple[Guard, PrivacyMask]:
        """Guard and mask; neither ever fails: what is wrong closes the picture and says why."""
        caption = Caption(config.node.id, config.encoding.caption, config.encoding.time_zone)
        return guard_for(config, self.state_dir, verifier, self.clock), PrivacyMask(config.privacy.fill, caption)

    def detectors(self, config: Config) -> list[Detector]:
        """What looks at masked pictures."""
        height = config.camera.height
        caption = Caption(config.node.id, config.encoding.caption, config.encoding.time_zone)
        rows = caption.rows(config.camera.width, height)
        found: list[Detector] = [PrivacyMaskDetector(config.node.id)]
        if self.sameness is not None:
            found.append(FrozenPictureDetector(config.node.id, self.sameness))
        if config.motion.enabled:
            found.append(MotionDetector(config.node.id, config.motion, (rows.top / height, rows.bottom / height)))
        if config.tampering.enabled:
            found.append(TamperDetector(config.node.id, config.tampering))
        return found

    def session(self, config: Config, outbox: Outbox) -> Session | None:
        """The line to the centre, when one is configured."""
        mqtt = config.mqtt
        if mqtt is None:
            return None
        if self.retained is None:
            self.retained = Retained(self.state_dir / "retained.json", config.node.id, outbox.figures().sequence)
        transport = open_transport(credentials_of(mqtt))
        endpoints = [BrokerEndpoint.of(url) for url in (mqtt.url, *mqtt.fallback_urls)]
        identity = Identity(config.node.id, mqtt.prefix, __version__, self.boot, mqtt.home_assistant_prefix)
        return Session(
            identity,
            endpoints,
            outbox,
            transport,
            self.clock,
            filters=[identity.topics.commands],
            plain_filters=[identity.topics.command(verb) for verb in VERBS],
            on_message=self.asked.offer if self.asked is not None else None,
            greetings=lambda: [discovery(identity.topics, config.node.site)] if mqtt.home_assistant else [],
            credentials=credentials_of(mqtt),
            retained=self.retained,
        )

    def commands(self, node: Callable[[], Node], register: Register) -> Commands:
        """What takes the centre's commands, for whichever session there is."""

        def mqtt() -> Mqtt | None:
            return node().config.mqtt

        def publish(publication: Publication) -> None:
            if (session := node().session) is not None:
                session.publish(publication)

        return Commands(
            lambda: topics_of(mqtt(), self.config.node.id),
            lambda: found.command_key_file if (found := mqtt()) else None,
            SpentTokens(self.state_dir / "commands.sqlite3", self.clock),
            register,
            Answering(node, self.config_path, self.snapshot, __version__, self.boot).carry_out,
            publish,
            self.clock,
        )


def _is_lossless(config: Config) -> bool:
    """A film played as fast as it goes waits for the encoder; everything else runs on its own time."""
    return config.camera.driver in ("file", "synthetic") and not config.camera.realtime
