"""The hall: which features a node has, in the order in which they start, and what each is given. Drivers come from `drivers`."""

from __future__ import annotations

from functools import partial
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
from agent.events.feature import EventsFeature
from agent.journal.feature import RegisterFeature
from agent.live.feature import LiveFeature
from agent.node import drivers
from agent.node.feature import NodeFeature
from agent.node.frame_path import open_frame_path
from agent.node.house import House, topics_of
from agent.node.in_force import InForce
from agent.node.last_minute import LastMinute
from agent.node.node import Node
from agent.node.nomadic import open_nomad
from agent.node.reload import NodeReload
from agent.node.signals import Wishes
from agent.node.sparing import spare_all
from agent.node.stores import open_stores
from agent.node.supervisor import Supervisor
from agent.nomad.feature import NomadFeature
from agent.onvif.feature import OnvifFeature
from agent.operations.desk import Desk
from agent.operations.feature import ControlFeature
from agent.recording.feature import RecordingFeature
from agent.recording.trusted_time import boot_id
from agent.sensors.feature import SensorsFeature
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
    SensorsFeature,
    LiveFeature,
    NomadFeature,
    OnvifFeature,
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
    house, in_force, wishes = House(FEATURES), InForce(config), Wishes()
    node = NodeFeature(in_force, config_path, wishes, house.states, clock)
    stores = open_stores(config, state_dir, clock)
    outbox, register, tap = stores.events.outbox, stores.register.register, stores.tap
    desk = Desk(house.operations, register)
    uplink = UplinkFeature(config, outbox, desk, register, drivers.open_transport, clock, version=__version__, boot=boot)
    health = HealthFeature(config, clock, version=__version__, boot=boot, parts=house.health, publish=uplink.publish_health)
    console = ConsoleFeature(config, tap, stores.register.looks, desk, clock)
    # The frames' path and recording are made below, and asked once the node runs.
    nomad = open_nomad(config, in_force, stores, lambda: path.privacy.masking.sight(), lambda: sensors, clock, boot)  # noqa: PLW0108
    path = open_frame_path(config, in_force, stores, console, lambda: recording.unclosed(), clock, nomad.shutter)  # noqa: PLW0108
    stream = path.stream
    recording = RecordingFeature(
        config,
        stores.recordings,
        stores.catalog,
        drivers.open_muxer(),
        register,
        tap,
        clock,
        boot=boot,
        stream=stream.broadcast,
        raise_durably=outbox.raise_event_durably,
        origin=nomad.origin,
    )
    warn_of_room(config, stores.catalog)
    board = BoardFeature(config, drivers.open_board(), tap, clock, recording.storage_fault)
    last_minute = LastMinute(lambda: config.mqtt is None or outbox.pending == 0, clock, is_wanted=config.nomad.power_off)
    asked = drivers.open_sensors(config, clock)
    spare = partial(spare_all, config, health, path, lambda: live, nomad, last_minute)
    sensors: SensorsFeature = SensorsFeature(
        config, asked, tap, register, spare, clock, lambda: nomad.commissioned_ns, lambda: nomad.stolen, boot=boot
    )
    doors = partial(drivers.open_live, config, clock=clock)
    live: LiveFeature = LiveFeature(config, stream, stores.register.looks, desk, uplink.vouched, doors, tap, clock)
    onvif = OnvifFeature(config, live.gate, stream, outbox, lambda: house.told(config), clock, version=__version__)
    control = ControlFeature(state_dir, desk, clock)
    speak = [node, stores.events, stores.register, uplink, health]
    house.move_in([*speak, recording, *path, board, sensors, onvif, live, nomad, control, console])
    house.withdraw(outbox, config, clock)
    supervisor = Supervisor(
        house.components(),
        clock,
        drivers.open_service_manager(),
        ready=lambda: stream.pipeline.first_encoded.is_set() or nomad.rests,
        over=path.is_over,
        empty=last_minute.is_over,
        sentence=house.sentence,
        asked=wishes,
    )
    drivers.give_back_memory()
    reload = NodeReload(config_path, house, in_force, outbox, register, clock, supervisor.follow)
    return Node(house, in_force, supervisor, reload, lock, clock, drivers.give_back_memory)
