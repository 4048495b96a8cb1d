"""At start: what has changed in the configuration since the node last ran goes into the register before a frame is taken."""

from __future__ import annotations

import logging
from pathlib import Path

from agent.base.errors import RegisterError
from agent.config.digest import config_digest
from agent.config.finding import RefusedConfiguration
from agent.config.last_good import load_last_good
from agent.config.model import Config
from agent.config.reload import changes
from agent.journal.entry import Act, Journal
from agent.node.reload import MOST_KEYS_CHARACTERS, keep_last_good

log = logging.getLogger(__name__)


def enter_changes(path: Path, config: Config, register: Journal) -> None:
    """Compare with the last good configuration, enter what differs, and keep this one from now on.

    A new statement that no mask is needed opens the picture: RegisterError when it cannot be entered, and the node must not
    run. Other changes that cannot be entered are an alarm, and are tried again at the next start.
    """
    before = _last(config)
    statement = config.privacy.none_needed
    if statement is not None and (before is None or before.privacy.none_needed != statement):
        register.enter(Act.MASKS_CHANGED, statement.by, {"masks": 0, "none needed": statement.why})
    try:
        _enter_rest(before, config, register)
    except RegisterError as error:
        log.warning("the changed configuration is not in the register yet: %s", error)
    else:
        keep_last_good(path, config)


def _enter_rest(before: Config | None, config: Config, register: Journal) -> None:
    keys = ["first start"] if before is None else [change.key for change in changes(before, config)]
    if not keys:
        return
    masks = config.privacy.mask
    if masks != (before.privacy.mask if before is not None else ()) and config.privacy.none_needed is None:
        register.enter(Act.MASKS_CHANGED, "start", {"masks": len(masks)})
    facts = {"digest": config_digest(config), "keys": ", ".join(keys)[:MOST_KEYS_CHARACTERS]}
    register.enter(Act.CONFIGURATION_CHANGED, "start", facts)


def _last(config: Config) -> Config | None:
    try:
        return load_last_good(config.node.state_dir)
    except RefusedConfiguration:
        return None
