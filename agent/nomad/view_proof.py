"""What proves the view that is in force: the digest of its signed reference, or of the statement that no mask is needed."""

from __future__ import annotations

import hashlib

from agent.base.errors import MaskError
from agent.config.model import Config
from agent.nomad.deployment import STATEMENT
from agent.view.store import ViewStore


class ViewProof:
    """Of one configuration; any thread. The reference itself is judged by the guard: here it is only told from others."""

    def __init__(self, config: Config) -> None:
        self._store = ViewStore(config.node.state_dir)
        statement = config.privacy.none_needed
        self.masks = len(config.privacy.mask)
        self._statement = ""
        if statement is not None and not self.masks:
            said = repr((statement.by, statement.on.isoformat(), statement.why))
            self._statement = STATEMENT + hashlib.sha256(said.encode()).hexdigest()
        self._kept: tuple[object, str] = (None, "")

    def fingerprint(self) -> object:
        """Changes whenever the proof may have changed; three calls of stat."""
        return self._statement or self._store.fingerprint()

    def read(self) -> str:
        """The proof; empty when there is none."""
        if self._statement or not self.masks:
            return self._statement
        fingerprint = self._store.fingerprint()
        if self._kept[0] != fingerprint:
            try:
                self._kept = fingerprint, self._store.digest()
            except MaskError:
                self._kept = fingerprint, ""
        return self._kept[1]
