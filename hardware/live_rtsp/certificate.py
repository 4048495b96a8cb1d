"""The node's own certificate before its viewers: read anew when it was renewed, without a connection being lost."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

log = logging.getLogger(__name__)


class FollowedCertificate:
    """`context` is asked for each connection. OSError, or ssl.SSLError, at the first when the files cannot be used."""

    def __init__(self, chain: Path, key: Path) -> None:
        self._chain, self._key = chain, key
        self._stamps: tuple[int, ...] = ()
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, with the certificate as it lies there now; the one before when that is damaged."""
        stamps = tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in (self._chain, self._key))
        if self._context is not None and stamps == self._stamps:
            return self._context
        self._stamps = stamps
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.load_cert_chain(self._chain, self._key)
        except OSError as error:
            if self._context is None:
                raise
            log.error("viewers still get the certificate of before: %s cannot be used: %s", self._chain, error)
            return self._context
        self._context = context
        return context
