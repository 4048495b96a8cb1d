"""The hub's ear, on real sockets."""

from __future__ import annotations

import socket
import threading

from agent.fleet.listener import Listener
from agent.fleet.wiring import transport
from agent.ports import BrokerCredentials, BrokerEndpoint
from tests.support.deadline import until


def test_a_broker_that_never_answers_is_told_and_asked_again() -> None:
    """Connected and met with silence: the trouble says so, and another connection comes."""
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
        listener = Listener(endpoint, transport(BrokerCredentials()), ["vigie/#"], patience_s=0.3)
        troubles: set[str] = set()

        def heard_nothing_twice() -> bool:
            listener.listen(0.1, lambda _: None)
            troubles.add(listener.trouble)
            return len(taken) >= 2

        until(heard_nothing_twice, "it connects a second time", 30)
        assert any("does not answer" in trouble for trouble in troubles)
        listener.close()
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()
