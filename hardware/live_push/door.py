"""Pushing as a way of looking in: an opened lease begins it, and its end ends it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from agent.base.clock import Clock
from agent.base.component import Component
from agent.ports.live import Gate, Secret, Way
from hardware.live_push.pushing import LivePush


class PushDoor:
    """See LiveDoor. `ca` is the file of the authorities that vouch for this node: the town's CA vouches for its relay too."""

    way: Final = Way.PUSH

    def __init__(self, gate: Gate, url: str, ca: Path, chain: Path, key: Path, clock: Clock) -> None:
        self._files = ca, chain, key
        self._push = LivePush(gate, url, self._encryption, clock)

    @property
    def state(self) -> str:
        return self._push.told

    def components(self) -> Sequence[Component]:
        return (self._push,)

    def urls(self, secret: Secret) -> Mapping[str, str]:  # noqa: ARG002 - the relay has its own
        return {}

    def opened(self, lease: str) -> None:
        self._push.begin(lease)

    def _encryption(self) -> ssl.SSLContext:
        """Read anew at each connection: certificates are renewed. The node shows its own where it has one. OSError: unusable."""
        ca, chain, key = self._files
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca.exists():
            context.load_verify_locations(ca)
        if chain.exists() and key.exists():
            context.load_cert_chain(chain, key)
        return context
