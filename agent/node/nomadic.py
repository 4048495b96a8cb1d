"""What a node knows of where it stands: its deployment when it is moved, the book's entry when it hangs where it hangs."""

from __future__ import annotations

import logging
from collections.abc import Callable

from msgspec.structs import replace

from agent.base.clock import Clock
from agent.base.errors import StorageError
from agent.config.model import Config
from agent.evidence.film_origin import present_place
from agent.node.in_force import InForce
from agent.node.stores import Stores
from agent.nomad.feature import NomadFeature
from agent.nomad.senses import Senses
from agent.picture.cover import ViewState
from agent.recording.places import PlaceBook
from agent.sensors.feature import SensorsFeature

log = logging.getLogger(__name__)


def open_nomad(
    config: Config,
    in_force: InForce,
    stores: Stores,
    sight: Callable[[], ViewState | None],
    sensors: Callable[[], SensorsFeature],
    clock: Clock,
    boot: str,
) -> NomadFeature:
    """Nothing is watched yet. `sight`: see NomadFeature; `sensors` is asked once the node runs."""

    def senses() -> Senses:
        sensed = sensors().sensors.sensed()
        return Senses(sensed.latitude, sensed.longitude, sensed.moved, sensed.tilted)

    return NomadFeature(
        config,
        lambda: in_force.config,
        stores.catalog,
        stores.register.register,
        stores.tap,
        sight,
        clock,
        boot=boot,
        place="" if config.node.role == "nomadic" else _entry_of(config, clock),
        senses=senses,
        sensors=lambda: sensors().told(),
    )


def _entry_of(config: Config, clock: Clock) -> str:
    """The book's name of this place. A disk that refuses keeps nobody from recording: the place of the films is unknown then."""
    try:
        return PlaceBook(config.node.state_dir).here(replace(present_place(config), since_ns=clock.wall_ns()))
    except StorageError as error:
        log.error("%s", error)
        return ""
