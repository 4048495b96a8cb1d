#!/usr/bin/python3 -IS
"""Fits the units to the configuration, at boot and at `systemctl daemon-reload` (systemd.generator(7)).

Usage: vigie-generator NORMAL_DIR [EARLY_DIR LATE_DIR]. What the configuration decides and a unit cannot read:
- a state or recording directory elsewhere than /var/lib/vigie becomes writable for the sandboxed services;
- role = "nomadic" reboots a board that cannot start its node.
A configuration that cannot be read changes nothing: the units work as they are, and `vigie run` says what is wrong.
"""

import os
import sys
import tomllib
from pathlib import Path

CONFIG = Path("/etc/vigie/config.toml")
STATE = "/var/lib/vigie"
REBOOT_WHEN_STUCK = Path("/usr/share/vigie/reboot-when-stuck.conf")
SERVICES = ("vigie.service", "vigie-retention.service")


def tables(config: Path) -> list[dict]:
    """The configuration and its fragments (config.d/*.toml), those that can be read, in the order they are applied."""
    read = []
    for path in [config, *sorted(config.parent.glob("config.d/*.toml"))]:
        try:
            read.append(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue
    return read


def value(read: list[dict], table: str, key: str) -> str:
    """The last text that stands for table.key; empty when none does."""
    found = ""
    for document in read:
        section = document.get(table)
        if isinstance(section, dict) and isinstance(section.get(key), str):
            found = section[key]
    return found


def elsewhere(config: Path, read: list[dict]) -> list[str]:
    """Absolute directories outside the units' own state directory that the node writes to."""
    directories = []
    for table, key in (("node", "state_dir"), ("recording", "directory"), ("evidence", "identity_dir")):
        text = value(read, table, key)
        directory = os.path.normpath(config.parent / text) if text else ""
        inside = directory == STATE or directory.startswith(STATE + "/")
        if directory and not inside and directory != "/" and directory.isprintable():
            directories.append(directory)
    return directories


def quoted(path: str) -> str:
    """A path as one word of a unit file: specifiers and quotes taken literally."""
    return '"-' + path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def generate(config: Path, target: Path) -> None:
    """Write the drop-ins below `target`."""
    read = tables(config)
    directories = elsewhere(config, read)
    for service in SERVICES if directories else ():
        (target / f"{service}.d").mkdir(parents=True, exist_ok=True)
        lines = "".join(f"ReadWritePaths={quoted(directory)}\n" for directory in directories)
        (target / f"{service}.d" / "50-directories.conf").write_text(f"[Service]\n{lines}", encoding="utf-8")
    if value(read, "node", "role") == "nomadic":
        (target / "vigie.service.d").mkdir(parents=True, exist_ok=True)
        (target / "vigie.service.d" / "60-reboot-when-stuck.conf").symlink_to(REBOOT_WHEN_STUCK)


if __name__ == "__main__":
    generate(CONFIG, Path(sys.argv[1]))
