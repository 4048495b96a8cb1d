"""The hub's ear: subscribes, listens, and comes back when the broker does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from agent.base.phrase import say
from agent.ports.mqtt import BrokerEndpoint, ConnectOptions, Lost, MqttTransport, Opened, Received, RefusedConnection, Subscribed
from agent.uplink.reasons import REFUSED_FROM, in_words

RETRY_S = 1.0
RECEIVE_MAXIMUM = 1000
PATIENCE_S = 15.0
"""A broker that took the connection and does not answer for this long is asked again from the beginning."""


class FleetListener:
    """One thread. `fault` says in words why nothing, or not all, is heard, and is empty when all is well.

    `subscribed` is true once the broker has taken every filter.
    """

    def __init__(
        self,
        endpoint: BrokerEndpoint,
        transport: MqttTransport,
        filters: Sequence[str],
        *,
        client_id: str | None = None,
        session_expiry_s: int = 0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.fault: str = say("connecting")
        self.subscribed = False
        self._client_id = client_id or f"vigie-watch-{os.getpid()}-{os.urandom(3).hex()}"
        self._session_expiry_s = session_expiry_s
        self._endpoint = endpoint
        self._transport = transport
        self._filters = tuple(filters)
        self._patience_s = patience_s
        self._retry_at = 0.0
        self._silent_at = 0.0
        self._open = False
        self._answered = False

    def listen(self, timeout_s: float, take: Callable[[Received], None]) -> None:
        """Hand over what comes within `timeout_s`."""
        if not self._open and time.monotonic() >= self._retry_at:
            self._open, self._answered = True, False
            self._silent_at = time.monotonic() + self._patience_s
            options = ConnectOptions(self._client_id, None, 0, 30, self._session_expiry_s, RECEIVE_MAXIMUM)
            self._transport.open(self._endpoint, options)
        for event in self._transport.wait(timeout_s):
            match event:
                case Opened():
                    self.fault, self._answered = "", True
                    self._transport.subscribe(self._filters)
                case Subscribed(codes):
                    refused = [in_words(code) for code in codes if code >= REFUSED_FROM]
                    self.subscribed = not refused
                    self.fault = say("subscription refused: {why}", why=refused[0]) if refused else ""
                case RefusedConnection() | Lost():
                    self._try_again(event.why)
                case Received():
                    take(event)
                case _:
                    pass

        if self._open and not self._answered and time.monotonic() >= self._silent_at:
            self._transport.close()
            where = f"{self._endpoint.host}:{self._endpoint.port}"
            self._try_again(say("{where} takes the connection and does not answer", where=where))

    def _try_again(self, why: str) -> None:
        self.fault, self._open = why, False
        self._retry_at = time.monotonic() + RETRY_S

    def close(self) -> None:
        """Leave."""
        self._transport.close()
