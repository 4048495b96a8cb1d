"""The hall: which features a node has, in the order in which they start, and what each is given. Drivers come from `drivers`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from agent import __version__
from agent.analytics.feature import AnalyticsFeature
from agent.base.clock import Clock, SystemClock
from agent.base.feature import Feature
from agent.base.state_directory import only_daemon, writable
from agent.board.feature import BoardFeature
from agent.commissioning.start import warn_of_room
from agent.config.model import Config
from agent.console.feature import ConsoleFeature
from agent.console.feed import EventTap
from agent.events.feature import EventsFeature
from agent.identity.node_key import NodeSigner
from agent.journal.feature import RegisterFeature
from agent.node import drivers
from agent.node.feature import NodeFeature
from agent.node.house import House, topics_of
from agent.node.in_force import InForce
from agent.node.node import Node
from agent.node.own_key import own_key_if_wanted
from agent.node.reload import NodeReload
from agent.node.signals import Wishes
from agent.node.supervisor import Supervisor
from agent.operations.desk import Desk
from agent.operations.feature import ControlFeature
from agent.recording.feature import RecordingFeature
from agent.recording.reconcile import open_catalog
from agent.recording.trusted_time import boot_id
from agent.signing.feature import SigningFeature
from agent.stream.camera_feature import CameraFeature
from agent.stream.feature import StreamFeature
from agent.stream.privacy_feature import PrivacyFeature
from agent.uplink.feature import UplinkFeature
from agent.uplink.health_feature import HealthFeature

FEATURES: Final[tuple[type[Feature[Config]], ...]] = (
    NodeFeature,
    EventsFeature,
    UplinkFeature,
    RegisterFeature,
    HealthFeature,
    RecordingFeature,
    SigningFeature,
    StreamFeature,
    CameraFeature,
    PrivacyFeature,
    AnalyticsFeature,
    BoardFeature,
    ControlFeature,
    ConsoleFeature,
)
"""Started from the first to the last and stopped from the last to the first: whoever takes something runs before it comes."""
TOPICS: Final = topics_of(FEATURES)


def build(config: Config, config_path: Path, *, clock: Clock | None = None) -> Node:
    """A node ready to run. Raises VigieError when it cannot be put together; nothing runs yet."""
    drivers.compute_alone()
    clock, boot, state_dir = clock or SystemClock(), boot_id(), writable(config.node.state_dir)
    lock = only_daemon(state_dir)
    recordings = writable(config.recordings_dir)
    house, in_force, wishes = House(FEATURES), InForce(config), Wishes()
    node = NodeFeature(in_force, config_path, wishes, house.states, clock)
    events = EventsFeature(state_dir / "outbox.sqlite3", clock)
    outbox = events.outbox
    tap = EventTap(outbox)
    signer, key_is_new = own_key_if_wanted(config)
    key = signer if isinstance(signer, NodeSigner) else None
    kept = RegisterFeature(
        state_dir / "register.jsonl",
        key,
        tap,
        clock,
        node_id=config.node.id,
        key_is_new=key_is_new,
        hand_on=outbox.enter_register,
    )
    register = kept.register
    desk = Desk(house.operations, register)
    uplink = UplinkFeature(config, outbox, desk, register, drivers.open_transport, clock, version=__version__, boot=boot)
    health = HealthFeature(config, clock, version=__version__, boot=boot, parts=house.health, publish=uplink.publish_health)
    console = ConsoleFeature(config, tap, kept.looks, desk, clock)
    camera = CameraFeature(config, drivers.open_camera(config.camera, clock), clock)
    privacy = PrivacyFeature(config, camera.capture, signer, signer.sign, register, clock, in_force=lambda: in_force.config)
    analytics = AnalyticsFeature(config, camera.sameness, tap)
    # Opened before the signer: whether the chain goes on over the restart hangs on what was recorded last.
    catalog = open_catalog(state_dir / "catalog.sqlite3", recordings, register.path)
    signing = SigningFeature(
        config,
        key,
        tap,
        clock,
        version=__version__,
        newest_ns=lambda: catalog.stock().newest_ns or 0,
        unclosed=lambda: recording.unclosed(),  # noqa: PLW0108 - it is made below, and asked once the node runs
    )
    stream = StreamFeature(
        privacy.masking,
        lambda: drivers.new_encoder(config, camera.camera),
        clock,
        signer=signing.signer,
        detectors=[analytics.detectors],
        viewers=[console.preview, analytics.gauge],
        events=tap,
        illustrator=analytics.illustrator,
    )
    recording = RecordingFeature(
        config,
        recordings,
        catalog,
        drivers.open_muxer(),
        register,
        tap,
        clock,
        boot=boot,
        stream=stream.broadcast,
        raise_durably=outbox.raise_event_durably,
    )
    warn_of_room(config, catalog)
    board = BoardFeature(config, drivers.open_board(), tap, clock, recording.storage_fault)
    control = ControlFeature(state_dir, desk, clock)
    house.move_in(
        [node, events, uplink, kept, health, recording, signing, stream, camera, privacy, analytics, board, control, console]
    )
    house.withdraw(outbox, config, clock)
    supervisor = Supervisor(
        house.components(),
        clock,
        drivers.open_service_manager(),
        ready=stream.pipeline.first_encoded.is_set,
        over=lambda: camera.capture.ended and stream.over,
        sentence=house.sentence,
        asked=wishes,
    )
    drivers.give_back_memory()
    reload = NodeReload(config_path, house, in_force, outbox, register, clock, supervisor.follow)
    return Node(house, in_force, supervisor, reload, lock, clock, drivers.give_back_memory)
