"""The pull points that stand: few, each under its lease, and none for longer than its client shows itself."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Final

from agent.base.clock import Clock
from agent.onvif.fault import SoapFault, of_subscription
from agent.onvif.pull_point import PullPoint
from agent.onvif.topic_filter import TopicFilter
from agent.ports.event import Event
from agent.ports.live import Gate

log = logging.getLogger(__name__)

MOST: Final = 32
MOST_OF_ONE: Final = 8
LEASE_OVER: Final = "the lease is over"


class PullPoints:
    """`tell` from any thread, the rest on the server's. `states` gives every state as it stands."""

    def __init__(self, gate: Gate, states: Callable[[], Iterable[Event]], clock: Clock) -> None:
        self._gate = gate
        self._states = states
        self._clock = clock
        self._standing: dict[str, PullPoint] = {}

    def __len__(self) -> int:
        return len(self._standing)

    def tell(self, event: Event) -> None:
        """It happened. Never blocks."""
        for point in list(self._standing.values()):
            point.tell(event)

    def open(self, lease: str, wanted: TopicFilter, seconds: float) -> PullPoint:
        """A new one. SoapFault when there are too many."""
        self.sweep()
        mine = sum(point.lease == lease for point in self._standing.values())
        if mine >= MOST_OF_ONE or len(self._standing) >= MOST:
            most = f"{MOST_OF_ONE} pull points of one lease" if mine >= MOST_OF_ONE else f"{MOST} pull points"
            raise SoapFault(
                f"{most} stand already: unsubscribe from one, or wait until it ends by itself", "ter:Action", code="Receiver"
            )
        point = PullPoint(secrets.token_urlsafe(16), lease, wanted, self._states, self._clock)
        point.stand_for(seconds)
        self._standing[point.id] = point
        return point

    def of(self, lease: str, id: str) -> PullPoint:
        """The one of that name, to whoever opened it. SoapFault to everybody else, and when it is over."""
        self.sweep()
        point = self._standing.get(id)
        if point is None or point.lease != lease:
            raise unknown()
        return point

    def close(self, point: PullPoint, why: str) -> None:
        """It is over."""
        self._standing.pop(point.id, None)
        if point.lost:
            log.warning("an ONVIF client fetched too slowly: %d events were not told to it", point.lost)
        point.end(why)

    def sweep(self) -> None:
        """End those whose client is silent, and those whose lease is over."""
        for point in list(self._standing.values()):
            if point.left_s <= 0:
                self.close(point, "its client was silent for too long")
            elif self._gate.challenge(point.lease) is None:
                self.close(point, LEASE_OVER)

    def close_all(self) -> None:
        """The node stops."""
        for point in list(self._standing.values()):
            self.close(point, "the node stops")


def unknown(why: str = "") -> SoapFault:
    """There is no such pull point, or no more."""
    text = f"this pull point is over: {why}" if why else "no pull point of that address stands under this lease"
    return of_subscription(text, "wsrf:ResourceUnknownFault")
