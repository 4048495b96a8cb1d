"""SIGHUP: read the configuration again, and give it to the features that can take it while the recording goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.base.clock import Clock
from agent.base.component import Component
from agent.base.errors import StorageError, VigieError
from agent.base.phrase import say
from agent.config.digest import config_digest
from agent.config.finding import RefusedConfiguration
from agent.config.last_good import remember
from agent.config.load import load
from agent.config.model import Config
from agent.config.reload import Change, changes
from agent.events.outbox import Outbox
from agent.journal.entry import Act, Journal
from agent.node.house import House
from agent.node.in_force import InForce

log = logging.getLogger(__name__)

MOST_KEYS_CHARACTERS = 500


def keep_last_good(path: Path, config: Config) -> None:
    """What a sweep goes by when the file breaks later. A disk that refuses is no reason not to run."""
    try:
        remember(path, config)
    except StorageError as error:
        log.error("%s", error)


class NodeReload:
    """Main thread. What is refused, by the file or by the register, is said in the log, and the node goes on.

    `follow` has the supervisor run exactly these components: a feature may have made another one.
    """

    def __init__(
        self,
        path: Path,
        house: House,
        in_force: InForce,
        outbox: Outbox,
        journal: Journal,
        clock: Clock,
        follow: Callable[[Sequence[Component]], None],
    ) -> None:
        self._path = path
        self._house = house
        self._in_force = in_force
        self._outbox = outbox
        self._journal = journal
        self._clock = clock
        self._follow = follow
        self._owed: tuple[Change, ...] = ()  # of reloads that failed: handed out in part, or not entered in the register

    def apply(self) -> None:
        """Read, compare, apply, and say what waits for a restart."""
        try:
            config = load(self._path)
        except RefusedConfiguration as error:
            log.error("the node goes on with the former configuration: %s", error)
            self._in_force.fault = error.brief
            return
        try:
            self._take_over(config)
        except VigieError as error:
            # The former one stays the last good one, so that the next SIGHUP or start finds the changes again.
            log.error("the new configuration is not taken over: %s", error)
            self._in_force.fault = say("not taken over: {why}", why=error)
        else:
            self._in_force.fault = ""
            keep_last_good(self._path, config)

    def _take_over(self, config: Config) -> None:
        in_force = self._in_force
        found = changes(in_force.config, config)
        differ = {change.key for change in found}
        self._owed = (*found, *(change for change in self._owed if change.key not in differ))
        if not self._owed:
            log.info("the configuration is read again and means the same as before")
        self._hand_out(config)
        if not self._owed:
            return
        # Health names the configuration that is in force: the file's, unless some of it waits for a restart.
        in_force.config, in_force.waiting = config, self._house.waiting(in_force.begun_with, config)
        if not in_force.waiting:
            in_force.digest = config_digest(config)
        self._enter(config)
        self._owed = ()

    def _hand_out(self, config: Config) -> None:
        """Every feature is asked, whether or not something of its own changed; then what they made anew is started."""
        words = {change.key: str(change) for change in self._owed}
        waiting = [key for key in words if self._house.owner(key) is None]
        try:
            for feature, keys in self._house.shares(words).items():
                taken = feature.take(self._in_force.config, config, keys)
                for consequence, applied in taken.applied.items():
                    log.info("%s: %s", "; ".join(words[key] for key in applied), consequence)
                waiting += taken.waiting
        finally:
            self._follow(self._house.components())
        if waiting:
            told = "; ".join(words[key] for key in words if key in waiting)
            log.info("%s: waits for `systemctl restart vigie`, the recording goes on as before", told)
        self._house.withdraw(self._outbox, config, self._clock)

    def _enter(self, config: Config) -> None:
        keys = [change.key for change in self._owed]
        for feature, own in self._house.shares(keys).items():
            feature.enter(config, own)
        facts = {"digest": config_digest(config), "keys": ", ".join(keys)[:MOST_KEYS_CHARACTERS]}
        self._journal.enter(Act.CONFIGURATION_CHANGED, "reload", facts)
