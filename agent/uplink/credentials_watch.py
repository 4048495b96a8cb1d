"""Notices that certificate or password files were renewed."""

from __future__ import annotations

from agent.base.clock import NS, Clock
from agent.ports.mqtt import BrokerCredentials
from agent.uplink.certificate_days import CertificateDays


class CredentialsWatch:
    """One thread: `renewed` looks at the files every `every_s`."""

    every_s = 10.0

    def __init__(self, credentials: BrokerCredentials, clock: Clock) -> None:
        self.days = CertificateDays(credentials, clock)
        self._credentials = credentials
        self._clock = clock
        self._used = self._before = credentials.stamp()
        self._looked_ns = clock.monotonic_ns()

    def renewed(self) -> bool:
        """Files have changed, and then stood still for a while: they are replaced one by one."""
        if self._clock.monotonic_ns() - self._looked_ns <= self.every_s * NS:
            return False
        self._looked_ns = self._clock.monotonic_ns()
        before, self._before = self._before, self._credentials.stamp()
        if self._before == self._used or self._before != before:
            return False
        self._used = self._before
        return True
