"""Programs of the system that the doctor asks: systemctl, timedatectl, chronyc, apt-config."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

from msgspec import Struct

PATIENCE_S = 5.0


class Answer(Struct, frozen=True):
    """What a program said; systemctl speaks by its exit code as well."""

    code: int
    text: str


Ask = Callable[..., Answer | None]
"""`ask("systemctl", "is-enabled", "vigie.service")`; None when the program is not installed or does not answer."""


def ask_system(*command: str) -> Answer | None:
    """Run one program of the system; its standard output."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Answer(done.returncode, done.stdout.strip())
