"""The hub's ear, on real sockets; a played broker where none of ours would refuse."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

import pytest

from agent.fleet.listener import FleetListener
from agent.fleet.wiring import transport
from agent.ports.mqtt import BrokerCredentials, BrokerEndpoint, ConnectOptions, Opened, Publication, Subscribed, TransportEvent
from tests.support.deadline import until


def test_a_broker_that_never_answers_is_told_and_asked_again() -> None:
    """Connected and met with silence: the fault says so, and another connection comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return  # the test is over

        threading.Thread(target=take, daemon=True).start()
        endpoint = BrokerEndpoint.of(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        listener = FleetListener(endpoint, transport(BrokerCredentials()), ["vigie/#"], patience_s=0.3)
        faults: set[str] = set()

        def heard_nothing_twice() -> bool:
            listener.listen(0.1, lambda _: None)
            faults.add(listener.fault)
            return len(taken) >= 2

        until(heard_nothing_twice, "it connects a second time", 30)
        assert any("does not answer" in fault for fault in faults)
        listener.close()
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


class PlayedBroker:
    """Takes every connection and answers a subscription with `codes`."""

    def __init__(self, *codes: int) -> None:
        self._codes = codes
        self._events: list[TransportEvent] = []

    def open(self, endpoint: BrokerEndpoint, options: ConnectOptions) -> None:
        self._events.append(Opened(session_present=False))

    def subscribe(self, filters: Sequence[str]) -> None:
        self._events.append(Subscribed(self._codes))

    def wait(self, timeout_s: float) -> Sequence[TransportEvent]:
        events, self._events = self._events, []
        return events

    def publish(self, publication: Publication, tag: int) -> None: ...

    def close(self, *, with_will: bool = False) -> None: ...

    def abort(self) -> None: ...

    def probe(self, endpoint: BrokerEndpoint) -> None: ...

    def wake(self) -> None: ...


@pytest.mark.parametrize("codes", [(0x87, 0x87), (0x01, 0x87)])
def test_a_refused_subscription_is_a_fault(codes: tuple[int, ...]) -> None:
    """All or a part refused: said in words, and not subscribed."""
    listener = FleetListener(BrokerEndpoint.of("mqtt://127.0.0.1"), PlayedBroker(*codes), ["vigie/+/status", "vigie/+/health"])
    for _ in range(2):
        listener.listen(0, lambda _: None)
    assert "check its access list (0x87)" in listener.fault
    assert not listener.subscribed


def test_a_subscription_that_is_taken_is_no_fault() -> None:
    """Every filter taken, with whatever quality of service: subscribed, and not a word."""
    listener = FleetListener(
        BrokerEndpoint.of("mqtt://127.0.0.1"), PlayedBroker(0x01, 0x00), ["vigie/+/status", "vigie/+/health"]
    )
    for _ in range(2):
        listener.listen(0, lambda _: None)
    assert listener.fault == ""
    assert listener.subscribed
