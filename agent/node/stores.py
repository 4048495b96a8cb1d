"""What a node keeps, opened before anything runs: its own key, the outbox, the register, and the catalog of its recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.base.clock import Clock
from agent.base.state_directory import writable
from agent.config.model import Config
from agent.console.feed import EventTap
from agent.events.feature import EventsFeature
from agent.identity.node_key import NodeSigner
from agent.identity.unreadable_key import UnreadableKey
from agent.journal.feature import RegisterFeature
from agent.node.own_key import own_key_if_wanted
from agent.recording.catalog import Catalog
from agent.recording.reconcile import open_catalog


@dataclass(frozen=True, slots=True)
class Stores:
    """Open files of one node. Only the daemon that holds its state directory makes them."""

    signer: NodeSigner | UnreadableKey
    events: EventsFeature
    register: RegisterFeature
    tap: EventTap
    """The way into the outbox for every event: the console hears what passes."""
    recordings: Path
    """The directory of the segments."""
    catalog: Catalog

    @property
    def key(self) -> NodeSigner | None:
        """The node's own key; None when it cannot be used."""
        return self.signer if isinstance(self.signer, NodeSigner) else None


def open_stores(config: Config, state_dir: Path, clock: Clock) -> Stores:
    """Open or begin each of them. Raises VigieError when one cannot be used."""
    recordings = writable(config.recordings_dir)
    events = EventsFeature(state_dir / "outbox.sqlite3", clock)
    tap = EventTap(events.outbox)
    signer, key_is_new = own_key_if_wanted(config)
    register = RegisterFeature(
        state_dir / "register.jsonl",
        signer if isinstance(signer, NodeSigner) else None,
        tap,
        clock,
        node_id=config.node.id,
        key_is_new=key_is_new,
        hand_on=events.outbox.enter_register,
    )
    catalog = open_catalog(state_dir / "catalog.sqlite3", recordings, register.register.path)
    return Stores(signer, events, register, tap, recordings, catalog)
