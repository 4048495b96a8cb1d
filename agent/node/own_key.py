"""The node's own key at its start: made at the first one, missing where nothing is to be signed."""

from __future__ import annotations

import logging

from agent.base.errors import EvidenceError
from agent.config.model import Config
from agent.identity.name import misnamed
from agent.identity.node_key import IdentityDirectory, NodeSigner
from agent.identity.unreadable_key import UnreadableKey

log = logging.getLogger(__name__)


def own_key(config: Config) -> tuple[NodeSigner, bool]:
    """The node's own key, and whether it was made just now: at the first start, never a default one.

    A key that comes as a credential gets its certificate.
    """
    identity = IdentityDirectory.here(config.identity_dir)
    if identity.exists() and identity.chain_path.exists():
        signer = identity.carry_over(config.node.id)
        if (other := misnamed(signer.chain.leaf, config.node.id)) is not None:
            log.warning("%s: %s", other.what, other.remedy)
        return signer, False
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
