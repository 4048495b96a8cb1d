"""The node's own key at its start: made at the first one, missing where nothing is to be signed; and what signs films with it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent import __version__
from agent.base.errors import EvidenceError
from agent.config.model import Config
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.identity.unreadable_key import UnreadableKey
from agent.recording.catalog import Catalog
from agent.signing.link import LinkFile
from agent.signing.media_signing import MediaSigner
from agent.signing.tlv import VendorInformation

log = logging.getLogger(__name__)


def own_key(config: Config) -> tuple[NodeSigner, bool]:
    """The node's own key, and whether it was made just now: at the first start, never a default one.

    A key that comes as a credential gets its certificate.
    """
    identity = IdentityDirectory.here(config.identity_dir)
    if identity.exists() and identity.chain_path.exists():
        return identity.carry_over(config.node.id), False
    return identity.init(config.node.id), True


def own_key_if_wanted(config: Config) -> tuple[NodeSigner | UnreadableKey, bool]:
    """As `own_key`; a node that signs no films runs without a key that can be used as well, and says so."""
    try:
        return own_key(config)
    except EvidenceError as error:
        if config.evidence.sign:
            raise
        log.warning("%s. Films are not to be signed, so the node runs without; its register is not signed either", error)
        return UnreadableKey.of(IdentityDirectory.here(config.identity_dir), error), False


def media_signer(config: Config, key: NodeSigner | None, catalog: Catalog, report: Callable[[str], None]) -> MediaSigner | None:
    """What signs films, when they are to be signed."""
    links = LinkFile(config.node.state_dir / "signing.json", key.key_id if key else "", lambda: catalog.stock().newest_ns or 0)
    if not config.evidence.sign or key is None:
        links.take()  # what is recorded now is no part of a chain
        return None
    return MediaSigner(key, VendorInformation(__version__, config.node.id, "Vigie"), report=report, links=links)
