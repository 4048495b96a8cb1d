"""A broker with the ways to hurt it: the port the scenes know, and a mosquitto behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from agent.base.errors import DeviceError
from agent.demo.broker import LocalBroker, free_port
from bench.line import Line, line
from tests.support.authority import Authority

# A broker that may hold what a hub has not taken yet: mosquitto's default drops beyond 1000 messages.
SETTINGS = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"


class BrokerUnderFault(Protocol):
    """One broker of one or more members. `member` is the URL of the one that is struck; None strikes them all."""

    @property
    def urls(self) -> tuple[str, ...]:
        """The members on loopback, in a node's order of preference."""

    @property
    def ports(self) -> tuple[int, ...]:
        """Where a hub finds them."""

    @property
    def line(self) -> Line:
        """The line that can be cut. DeviceError when the broker was started without one."""

    @property
    def line_urls(self) -> tuple[str, ...]:
        """The members at the end of the line."""

    @property
    def authority(self) -> Authority:
        """Issues the certificates, the brokers' under the name `broker`."""

    @property
    def tls_urls(self) -> tuple[str, ...]:
        """The members, for those with a certificate."""

    def kill(self, member: str | None = None) -> None:
        """As a power cut would."""

    def start(self) -> None:
        """Whatever does not run starts, with the certificate that is there now, and takes connections."""

    def freeze(self, member: str | None = None) -> None:
        """Connections stay open and nothing answers."""

    def thaw(self) -> None:
        """Whatever hangs goes on."""

    def empty(self, member: str | None = None) -> None:
        """It restarts without anything it had stored."""


class Stage(Protocol):
    """Gives a broker to a scene, fresh or mended, and takes it back."""

    def __call__(self, directory: Path, *, with_line: bool = False) -> AbstractContextManager[BrokerUnderFault]: ...


class MosquittoUnderFault:
    """One mosquitto on loopback, TLS beside it, and one listener more where a `line` ends. See `mosquitto`."""

    def __init__(self, directory: Path, at: Line | None = None) -> None:
        self.authority = Authority(directory / "pki")
        server = self.authority.issue("broker", server="127.0.0.1")
        self._line = at
        self._line_port, self._tls_port = free_port(), free_port()
        listeners = (
            f"listener {self._tls_port} 127.0.0.1\ncafile {self.authority.ca}\ncertfile {server.cert}\nkeyfile {server.key}\n"
            "require_certificate true\nuse_identity_as_username true\n"
        )
        if at is not None:
            listeners += f"listener {self._line_port} {at.address}\n"
        self._broker = LocalBroker(directory / "broker", settings=SETTINGS + listeners)

    @property
    def urls(self) -> tuple[str, ...]:
        return (self._broker.url,)

    @property
    def ports(self) -> tuple[int, ...]:
        return (self._broker.port,)

    @property
    def line(self) -> Line:
        return given(self._line)

    @property
    def line_urls(self) -> tuple[str, ...]:
        return (f"mqtt://{self.line.address}:{self._line_port}",)

    @property
    def tls_urls(self) -> tuple[str, ...]:
        return (f"mqtts://127.0.0.1:{self._tls_port}",)

    def kill(self, member: str | None = None) -> None:
        self._expect(member)
        self._broker.kill()

    def start(self) -> None:
        if self._broker.pid is None:
            self._broker.start()

    def freeze(self, member: str | None = None) -> None:
        self._expect(member)
        self._broker.freeze()

    def thaw(self) -> None:
        self._broker.thaw()

    def empty(self, member: str | None = None) -> None:
        self._expect(member)
        self._broker.stop()
        (self._broker.directory / "mosquitto.db").unlink(missing_ok=True)
        self._broker.start()

    def _expect(self, member: str | None) -> None:
        if member not in (None, *self.urls):
            raise DeviceError(f"{member} is no member of this broker")


@contextmanager
def mosquitto(directory: Path, *, with_line: bool = False) -> Iterator[BrokerUnderFault]:
    """A `Stage` that starts a mosquitto for each scene."""
    with ExitStack() as until_the_end:
        broker = MosquittoUnderFault(directory, until_the_end.enter_context(line()) if with_line else None)
        until_the_end.callback(broker.kill)
        broker.start()
        yield broker


def given(at: Line | None) -> Line:
    """The line, where there is one."""
    if at is None:
        raise DeviceError("this broker was started without a line to cut")
    return at
