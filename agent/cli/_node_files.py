"""What commands that work on a node's files share: its catalog and its register, whether the daemon runs or not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from agent.base.clock import Clock, SystemClock
from agent.base.errors import EvidenceError
from agent.base.phrase import say
from agent.base.umask import close_to_others
from agent.cli._speech import tell
from agent.config.last_good import load_or_last_good
from agent.config.model import Config
from agent.journal.entry import Act, Fact
from agent.journal.register import Register
from agent.ports.host import Signer
from agent.recording.catalog import Catalog
from agent.recording.reconcile import open_catalog

if TYPE_CHECKING:
    from agent.identity.node_key import IdentityDirectory


class NodeFiles(Struct, frozen=True):
    """One node's state on disk."""

    config: Config
    clock: Clock

    @classmethod
    def of(cls, config_path: Path) -> NodeFiles:
        """By its configuration, or by the last good one when that is refused: said on stderr."""
        close_to_others()
        config, refused = load_or_last_good(config_path)
        if refused is not None:
            tell(
                say(
                    "vigie: {config_path} is refused; the last good configuration serves (`vigie check` tells why)",
                    config_path=config_path,
                ),
                err=True,
            )
        return cls(config, SystemClock())

    @property
    def register_path(self) -> Path:
        return self.config.node.state_dir / "register.jsonl"

    def register(self) -> Register:
        """Entries are signed when this user can read the node's key, and chained in any case."""
        return Register(self.register_path, self.clock, self._signer(), alarm=_alarm, node=self.config.node.id)

    def catalog(self) -> Catalog:
        """The node's catalog, made anew when it is lost."""
        return open_catalog(self.config.node.state_dir / "catalog.sqlite3", self.config.recordings_dir, self.register_path)

    def identity(self) -> IdentityDirectory:
        """Where the node's key and chain lie."""
        from agent.identity.node_key import IdentityDirectory

        return IdentityDirectory.here(self.config.identity_dir)

    def _signer(self) -> Signer | None:
        identity = self.identity()
        try:
            return identity.load() if identity.exists() else None
        except (EvidenceError, OSError):
            return None


class LateRegister:
    """The node's register, opened at the first entry: most sweeps enter nothing, and need no key. Implements Journal."""

    def __init__(self, node: NodeFiles) -> None:
        self._node = node
        self._register: Register | None = None

    def enter(self, act: Act, by: str, facts: Mapping[str, Fact]) -> None:
        """As `Register.enter`."""
        if self._register is None:
            self._register = self._node.register()
        self._register.enter(act, by, facts)


def _alarm(sentence: str) -> None:
    tell(say("vigie: {sentence}", sentence=sentence), err=True)
