"""SIGHUP: read the configuration again, and give it to the parts that can take it while the recording goes on."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from agent.analytics.motion import MotionDetector
from agent.analytics.tampering import TamperDetector
from agent.base.errors import StorageError, VigieError
from agent.config.digest import config_digest
from agent.config.finding import RefusedConfiguration
from agent.config.last_good import remember
from agent.config.load import load
from agent.config.model import Config
from agent.config.reload import Change, Part, ReloadPlan, plan
from agent.events.outbox import Outbox
from agent.journal.entry import Act
from agent.journal.register import Register
from agent.mask.privacy_mask import PrivacyMask
from agent.node.node import Node
from agent.node.withdrawal import withdraw
from agent.recording.catalog import Catalog
from agent.recording.retention import Retention
from agent.stream.pipeline import Detector
from agent.uplink.session import Session
from agent.view.guard import Guard
from agent.view.store import Verifier

log = logging.getLogger(__name__)


class Maker(Protocol):
    """Makes parts from a configuration: the composition root."""

    def privacy(self, config: Config, verifier: Verifier) -> tuple[Guard, PrivacyMask]: ...

    def detectors(self, config: Config) -> Sequence[Detector]: ...

    def session(self, config: Config, outbox: Outbox) -> Session | None: ...

    def retention(self, config: Config, catalog: Catalog, register: Register) -> Retention: ...


def keep_last_good(path: Path, config: Config) -> None:
    """What a sweep goes by when the file breaks later. A disk that refuses is no reason not to run."""
    try:
        remember(path, config)
    except StorageError as error:
        log.error("%s", error)


class Reloading:
    """Main thread. What is refused, by the file or by the register, is said in the log, and the node goes on."""

    def __init__(self, path: Path, node: Node, maker: Maker, verifier: Verifier) -> None:
        self._path = path
        self._node = node
        self._maker = maker
        self._verifier = verifier
        self._owed: tuple[Change, ...] = ()  # of reloads that failed: handed out in part, or not entered in the register

    def apply(self) -> None:
        """Read, compare, apply, and say what waits for a restart."""
        try:
            config = load(self._path)
        except RefusedConfiguration as error:
            log.error("the node goes on with the former configuration: %s", error)
            self._node.config_trouble = error.brief
            return
        try:
            self._take_over(config)
        except VigieError as error:
            # The former one stays the last good one, so that the next SIGHUP or start finds the changes again.
            log.error("the new configuration is not taken over: %s", error)
            self._node.config_trouble = f"not taken over: {error}"
        else:
            self._node.config_trouble = ""
            keep_last_good(self._path, config)

    def _take_over(self, config: Config) -> None:
        node = self._node
        if config.mqtt is not None:  # what the centre asked for meanwhile lasts until a reload, changed file or not
            node.publisher.set_interval(config.mqtt.health_seconds)
        changes = plan(node.config, config)
        for words in changes.words:
            log.info("%s", words)
        keys = {change.key for change in changes.changes}
        changes = ReloadPlan((*changes.changes, *(change for change in self._owed if change.key not in keys)))
        if not changes.changes:
            return
        self._owed = changes.changes
        self._hand_out(config, changes.apply)
        # Health names the configuration that is in force: the file's, unless some of it waits for a restart.
        node.config, node.waiting = config, plan(node.begun_with, config).restart
        if not node.waiting:
            node.digest = config_digest(config)
        self._enter(config, changes)
        self._owed = ()

    def _enter(self, config: Config, changes: ReloadPlan) -> None:
        register = self._node.parts.register
        if Part.PRIVACY in changes.apply and config.privacy.none_needed is None:
            register.enter(Act.MASKS_CHANGED, "reload", {"masks": len(config.privacy.mask)})
        keys = ", ".join(change.key for change in changes.changes)[:500]
        register.enter(Act.CONFIGURATION_CHANGED, "reload", {"digest": config_digest(config), "keys": keys})

    def _detectors(self, config: Config, parts: frozenset[Part]) -> tuple[Detector, ...]:
        """New ones only where their settings changed: the others keep what they have learnt and said."""
        running = {type(detector): detector for detector in self._node.parts.pipeline.detectors}
        if Part.MOTION in parts:
            running.pop(MotionDetector, None)
        if Part.TAMPERING in parts:
            running.pop(TamperDetector, None)
        return tuple(running.get(type(fresh), fresh) for fresh in self._maker.detectors(config))

    def _change_masks(self, config: Config) -> None:
        """Other masks close the picture until they are validated, at once; a statement opens it, so its entry comes first."""
        statement = config.privacy.none_needed
        if statement is not None:
            self._node.parts.register.enter(Act.MASKS_CHANGED, statement.by, {"masks": 0, "none needed": statement.why})
        self._node.parts.masking.replace(*self._maker.privacy(config, self._verifier))

    def _hand_out(self, config: Config, parts: frozenset[Part]) -> None:
        node, maker = self._node, self._maker
        if Part.PRIVACY in parts:
            self._change_masks(config)
        if Part.MOTION in parts or Part.TAMPERING in parts:
            node.parts.pipeline.detectors = self._detectors(config, parts)
            withdraw(node.parts.outbox, config, node.parts.clock)
        if Part.RETENTION in parts:
            node.parts.sweeper.replace(maker.retention(config, node.parts.catalog, node.parts.register))
        if Part.BOARD in parts:
            node.parts.board.set_limits(config.board)
        if Part.MQTT in parts:
            node.change_session(maker.session(config, node.parts.outbox))
