"""What the agent asks of the machine it runs on: a signer, the service manager, the board. Drivers in hardware/ implement it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct, field


class Signer(Protocol):
    """Holds the node's signing key: a file, a TPM or a secure element. The key itself never passes this port. Any thread."""

    def sign(self, data: bytes) -> bytes:
        """ECDSA over P-256 with SHA-256 of `data`, in DER. Raises EvidenceError when the key cannot be used any more."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """The same for data of which only the SHA-256 is at hand: a whole film."""
        ...

    @property
    def chain_pem(self) -> bytes:
        """Certificates that vouch for the key, leaf first, without the CA; a self-signed leaf stands alone."""
        ...


class ServiceManager(Protocol):
    """The supervisor's line to whoever started the daemon (systemd, or nobody)."""

    def ready(self) -> None:
        """Everything runs: the first masked frame is encoded."""
        ...

    def still_starting(self, seconds: float) -> None:
        """Not ready yet, and no hang: for so long at least, do not give up."""
        ...

    def alive(self) -> None:
        """Frames, masks and disk have progressed since the last call."""
        ...

    def status(self, sentence: str) -> None:
        """One line for `systemctl status`."""
        ...

    def reloading(self) -> None: ...

    def stopping(self) -> None: ...

    @property
    def watchdog_s(self) -> float | None:
        """How often at least `alive` is expected; None when nobody watches."""
        ...


class BoardMetrics(Struct, frozen=True):
    """What the board says of itself; None where it cannot tell."""

    temperature_c: float | None = None
    throttled: bool | None = None
    undervoltage: bool | None = None
    load_1m: float | None = None
    rss_bytes: int | None = None
    uptime_s: float | None = None
    more: Mapping[str, float | str] = field(default_factory=dict)


class Board(Protocol):
    """Temperature, throttling, load: read on the health thread, within 50 ms."""

    def read(self) -> BoardMetrics: ...
