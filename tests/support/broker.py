"""What `LocalBroker` lacks for tests: a TLS listener with required client certificates."""

from __future__ import annotations

from pathlib import Path

from agent.demo.broker import LocalBroker, free_port
from tests.support.authority import Authority, Pair


class TlsBroker(LocalBroker):
    """A mosquitto with one more listener, TLS with required client certificates; `tls_url` reaches it."""

    def __init__(self, directory: Path, authority: Authority, server: Pair, settings: str = "allow_anonymous true") -> None:
        self.tls_port = free_port()
        tls = (
            f"{settings}\nlistener {self.tls_port} 127.0.0.1\ncafile {authority.ca}\ncertfile {server.cert}\n"
            f"keyfile {server.key}\nrequire_certificate true\nuse_identity_as_username true\n"
        )
        super().__init__(directory, settings=tls)

    @property
    def tls_url(self) -> str:
        return f"mqtts://127.0.0.1:{self.tls_port}"
