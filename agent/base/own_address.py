"""By which address others reach what listens on this machine."""

from __future__ import annotations

import socket
from typing import Final

_ANYWHERE: Final = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}  # noqa: S104 - compared, and where a way out would lead
_REALLY_V4: Final = ("0.0.0.0", "192.0.2.1")  # noqa: S104


def reached_at(host: str) -> str:
    """The address viewers use: this one, or for "every address" the one this machine speaks from. Sends nothing."""
    if host not in _ANYWHERE:
        return host
    for mine, far in ((host, _ANYWHERE[host]), _REALLY_V4):
        with socket.socket(socket.AF_INET6 if ":" in mine else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((far, 9))
            except OSError:
                continue
            return str(probe.getsockname()[0])
    return socket.gethostname()
