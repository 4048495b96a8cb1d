"""Which configuration the node runs by, and what of its file waits."""

from __future__ import annotations

from agent.config.digest import config_digest
from agent.config.model import Config


class InForce:
    """The main thread writes, any thread reads."""

    def __init__(self, config: Config) -> None:
        self.begun_with = config
        self.config = config
        """As last read; what waits for a restart already stands in it."""
        self.digest = config_digest(config)
        self.waiting: tuple[str, ...] = ()
        """Keys of the file that take effect with the next start."""
        self.fault = ""
        """Why the file as it stands now is refused; empty when it was taken over."""
