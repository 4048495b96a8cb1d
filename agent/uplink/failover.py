"""Which broker comes next, and after how long."""

from __future__ import annotations

import random
from collections.abc import Sequence

from agent.base.clock import NS
from agent.ports.mqtt import BrokerEndpoint
from agent.uplink.pace import Pace

# Refusals a retry will not cure soon: version, client id, credentials, access list, ban, taken over by a twin.
STUBBORN = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8E})


class BrokerFailover:
    """Brokers in order of preference. Full jitter: nodes that lost one broker at one instant do not return at one instant."""

    def __init__(self, endpoints: Sequence[BrokerEndpoint], pace: Pace, dice: random.Random) -> None:
        self._endpoints = tuple(endpoints)
        self._pace = pace
        self._dice = dice
        self._chosen = 0
        self._failures = 0
        self._silences = 0

    @property
    def current(self) -> BrokerEndpoint:
        """The broker in use, or the next to be tried."""
        return self._endpoints[self._chosen]

    @property
    def preferred(self) -> BrokerEndpoint:
        """The first in the list."""
        return self._endpoints[0]

    @property
    def is_preferred(self) -> bool:
        """Whether the one in use is the first in the list."""
        return self._chosen == 0

    def return_to_preferred(self) -> None:
        """The first in the list is next."""
        self._chosen = 0

    def refused(self, code: int | None) -> int:
        """No connection came about: the next broker, and how long to wait for it, in nanoseconds."""
        self._chosen = (self._chosen + 1) % len(self._endpoints)
        if not self.is_preferred:
            return self._delay_ns(0, code=None)
        self._failures += 1
        return self._delay_ns(self._failures - 1, code)

    def unanswered(self) -> int:
        """A broker took the connection and said nothing: the next broker, and how long to wait for it, in nanoseconds."""
        self._silences += 1
        return self.refused(None)

    def answered(self) -> None:
        """A broker let us in."""
        self._silences = 0

    @property
    def is_session_in_doubt(self) -> bool:
        """As many silences on end as there are brokers, and two at least: they may choke on what they kept for us.

        RabbitMQ waits without end for a session's queue that a power cut of all its machines has left without a leader.
        """
        return self._silences >= max(2, len(self._endpoints))

    def lost(self, code: int | None, *, steady: bool) -> int:
        """A connection broke, steady or not: how long to wait for the same broker, in nanoseconds."""
        failures = 0 if steady else self._failures
        self._failures = failures + 1
        return self._delay_ns(failures, code)

    def probe_after_ns(self) -> int:
        """How long until the preferred broker is worth a look."""
        return round(self._dice.uniform(0.8, 1.2) * self._pace.fail_back_s * NS)

    def _delay_ns(self, failures: int, code: int | None) -> int:
        most_s = min(self._pace.backoff_most_s, self._pace.backoff_s * 2.0 ** min(failures, 16))
        extra_s = self._pace.backoff_most_s if code in STUBBORN else 0.0
        return round((self._dice.uniform(0, most_s) + extra_s) * NS)
