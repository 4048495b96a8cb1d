"""How many bytes an interface has carried, as the kernel counts them."""

from __future__ import annotations

from pathlib import Path

from agent.ports.modem import LinkBytes

_SYSFS = Path("/sys/class/net")


class KernelLinkCounters:
    """`agent.ports.modem.LinkCounters` of one interface."""

    def __init__(self, interface: str, sysfs: Path = _SYSFS) -> None:
        self._at = sysfs / interface / "statistics"

    def read(self) -> LinkBytes | None:
        """See the port."""
        try:
            received, sent = (int((self._at / name).read_text(encoding="ascii")) for name in ("rx_bytes", "tx_bytes"))
        except (OSError, ValueError):
            return None
        return LinkBytes(received, sent) if received >= 0 and sent >= 0 else None
