"""A visitor who sends a little now and then, and never says anything whole."""

from __future__ import annotations

import socket

from tests.support.deadline import until


def until_cut_off(client: socket.socket, drop: bytes) -> None:
    """Send `drop` again and again until the other side has had enough of it. The socket has a timeout of its own."""

    def is_cut_off() -> bool:
        try:
            client.sendall(drop)
            return client.recv(100) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    until(is_cut_off, "it is cut off", 30)
