"""The board is switched off when the daemon says that its battery is empty, and for no other reason."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from agent.node.daemon import POWER_OFF


@pytest.mark.parametrize(
    ("status", "off"), [(str(POWER_OFF), True), ("0", False), ("1", False), ("78", False), ("KILL", False), ("", False)]
)
def test_only_an_empty_battery_switches_off(tmp_path: Path, units: Path, status: str, off: bool) -> None:
    """As systemd calls it, with the way the daemon ended."""
    (tmp_path / "systemctl").write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/asked\n')
    (tmp_path / "systemctl").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "EXIT_STATUS": status}
    subprocess.run(["sh", units / "power-off"], env=environment, check=True, timeout=60)
    asked = tmp_path / "asked"
    assert (asked.read_text() if asked.exists() else "") == ("--no-block poweroff\n" if off else "")
