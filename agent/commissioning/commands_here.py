"""Commands in a remedy, as they work on this node and for this user: which configuration, and with sudo or without."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from agent.base.process_exit import STARTED_BY

_COMMAND: Final = re.compile(r"`([^`]+)`")
_OF_A_NODE: Final = re.compile(r"\b(?:sudo )?vigie (?:doctor|masks \w+|identity \w+|register|status|check|run)\b")


class CommandsHere(Struct, frozen=True):
    """`config` None: the installed one, which every command takes by itself. `is_root`: nobody above to be asked for.

    `owns_state`: this user may write the node's state, so that `vigie` needs no sudo, and with it would leave files of root.
    """

    config: Path | None = None
    is_root: bool = False
    owns_state: bool = False

    @classmethod
    def of(cls, config: Path, installed: Path, state_dir: Path, environment: Mapping[str, str] = os.environ) -> CommandsHere:
        """For whoever typed the command: with sudo, root began it for somebody who needs sudo again for the next one.

        The installed command gives up root for the node's user, who owns the state; the person who typed it does not.
        """
        elsewhere = None if config == installed else config
        was_root = os.geteuid() == 0 or environment.get(STARTED_BY) == "root"
        if was_root:
            return cls(elsewhere, is_root="SUDO_USER" not in environment)
        at = next((path for path in (state_dir, *state_dir.parents) if os.access(path, os.F_OK)), Path("/"))
        return cls(elsewhere, owns_state=os.access(at, os.W_OK))

    def __call__(self, remedy: str) -> str:
        """`remedy` with its commands as they are typed here."""
        return _COMMAND.sub(lambda command: f"`{self._spelled(command[1])}`", remedy)

    def _spelled(self, command: str) -> str:
        if self.config is not None:
            with_config = f"--config {shlex.quote(str(self.config))}"
            command = _OF_A_NODE.sub(lambda found: f"{found[0]} {with_config}", command)
        if self.is_root:
            return re.sub(r"\bsudo ", "", command)
        return re.sub(r"\b(?:sudo )?vigie (?=[a-z])", "vigie " if self.owns_state else "sudo vigie ", command)
