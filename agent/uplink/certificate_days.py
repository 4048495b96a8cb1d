"""How long the certificate that a node shows its broker is good."""

from __future__ import annotations

import threading

from cryptography import x509

from agent.base.clock import Clock, ClockQuality, utc
from agent.base.regular_file import read_regular
from agent.ports.mqtt import BrokerCredentials

_LONGEST_FILE_BYTES = 1 << 20


class CertificateDays:
    """Any thread. The file is read again once it has changed."""

    def __init__(self, credentials: BrokerCredentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] | None = None
        self._ends_s: float | None = None

    def left(self) -> int | None:
        """Whole days, negative once it has expired; None without a certificate, or a clock to tell by."""
        if self._credentials.cert_file is None or self._clock.quality() is ClockQuality.UNSET:
            return None
        with self._lock:
            if (stamp := self._credentials.stamp()) != self._stamp:
                self._stamp, self._ends_s = stamp, self._read()
            ends_s = self._ends_s
        return None if ends_s is None else int((ends_s - utc(self._clock.wall_ns()).timestamp()) // 86_400)

    def _read(self) -> float | None:
        """The first end of all that are shown: an authority in between may end before its leaf."""
        assert self._credentials.cert_file is not None
        try:
            shown = x509.load_pem_x509_certificates(read_regular(self._credentials.cert_file, _LONGEST_FILE_BYTES))
        except (OSError, ValueError):
            return None  # the connection says what is wrong with it
        return min(certificate.not_valid_after_utc.timestamp() for certificate in shown)
