"""Signed video as a feature: every frame that leaves the encoder is signed with the node's key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.base.clock import Clock
from agent.base.feature import Feature
from agent.config.model import Config
from agent.identity.node_key import NodeSigner
from agent.ports.event import EventSink
from agent.ports.health import EvidenceHealth
from agent.signing import alarms
from agent.signing.link import LinkFile
from agent.signing.media_signing import MediaSigner
from agent.signing.tlv import VendorInformation


class SigningFeature(Feature[Config]):
    """`newest_ns`: when the newest recorded frame was taken, 0 when there is none; what is signed next is linked to it.

    `unclosed` counts segments that ended without their last signature.
    """

    topics = alarms.TOPICS
    keys = ("evidence",)

    def __init__(
        self,
        config: Config,
        key: NodeSigner | None,
        events: EventSink,
        clock: Clock,
        *,
        version: str,
        newest_ns: Callable[[], int],
        unclosed: Callable[[], int],
    ) -> None:
        node_id = config.node.id

        def tell(fault: str) -> None:
            events.raise_event(alarms.of_signing(fault, clock.wall_ns(), node_id))

        self.signer: MediaSigner | None = None
        self._key = key if config.evidence.sign else None
        self._vendor = VendorInformation(version, node_id, "Vigie")
        self._unclosed = unclosed
        kept = config.node.state_dir / "signing.json"
        if not config.evidence.sign or key is None:
            LinkFile(kept, "", lambda: 0).take()  # what is recorded now is no part of a chain
        else:
            links = LinkFile(kept, key.key_id, newest_ns)
            self.signer = MediaSigner(key, self._vendor, report=tell, links=links)

    def another_signer(self) -> MediaSigner | None:
        """For another stream of this node: the same key, and a chain that begins anew at each start. None without a key."""
        return None if self._key is None else MediaSigner(self._key, self._vendor)

    def health(self) -> Mapping[str, Any]:
        signer = self.signer
        if signer is None:
            return {"evidence": EvidenceHealth()}
        failures = signer.failures + self._unclosed()
        return {"evidence": EvidenceHealth(signing=True, signed=signer.signed, failures=failures, trouble=signer.fault)}
