"""The access register as a feature: kept, signed, and handed on to the hub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.feature import Feature
from agent.config.model import Config
from agent.identity.node_key import NodeSigner
from agent.journal import alarms
from agent.journal.folded_looks import FoldedLooks
from agent.journal.noted_visits import NotedVisits
from agent.journal.register import Register
from agent.journal.registrar import Registrar
from agent.ports.event import EventSink

log = logging.getLogger(__name__)


class RegisterFeature(Feature[Config]):
    """`hand_on` gets each line for the hub."""

    topics = alarms.TOPICS

    def __init__(
        self,
        path: Path,
        key: NodeSigner | None,
        events: EventSink,
        clock: Clock,
        *,
        node_id: str,
        key_is_new: bool,
        hand_on: Callable[[bytes], None],
    ) -> None:
        def alarm(sentence: str) -> None:
            log.error("%s", sentence)
            events.raise_event(alarms.of_register(sentence, clock.wall_ns(), node_id))

        self.register = Register(path, clock, key, alarm, node=node_id, key_is_new=key_is_new)
        if fault := self.register.fault():
            alarm(fault)
        self.looks = FoldedLooks(self.register, clock, NotedVisits(path.with_suffix(".looks")), self.register.ask)
        self._registrar = Registrar(register=self.register, clock=clock, hand_on=hand_on, settle=self.looks.settle)

    def components(self) -> Sequence[Component]:
        return (self._registrar,)
