#!/usr/bin/python3 -ISB
"""Fits the units to the configuration, at boot and at `systemctl daemon-reload` (systemd.generator(7)).

Usage: vigie-generator NORMAL_DIR [EARLY_DIR LATE_DIR]. What the configuration decides and a unit cannot read:
- a state or recording directory elsewhere than /var/lib/vigie becomes writable for the sandboxed services;
- role = "nomadic" reboots a board that cannot start its node;
- a credential that was encrypted to this board takes the place of the plain one.
A configuration that cannot be read changes nothing: the units work as they are, and `vigie run` says what is wrong.
"""

import os
import sys
import tomllib
from pathlib import Path

# The agent's own reader: installed beside the units, or in the checkout this script lies in.
READER = Path("/usr/lib/vigie/reader")
sys.path.insert(0, str(READER if READER.is_dir() else Path(__file__).resolve().parents[1]))

from agent.config import files  # noqa: E402

CONFIG = Path("/etc/vigie/config.toml")
STATE = "/var/lib/vigie"
REBOOT_WHEN_STUCK = Path("/usr/share/vigie/reboot-when-stuck.conf")
SERVICES = ("vigie.service", "vigie-retention.service")
ENCRYPTED = Path("/etc/credstore.encrypted")
CREDENTIALS = {
    "vigie.service": ("identity-key", "mqtt-password", "mqtt-key", "camera-password"),
    "vigie-retention.service": ("identity-key",),
}


def tables(config: Path) -> list[dict]:
    """The configuration and its fragments (config.d/*.toml), those that can be read, in the order they are applied."""
    read = []
    try:
        paths = [config, *files.drop_ins(config)]
    except OSError:
        paths = [config]
    for path in paths:
        try:
            read.append(tomllib.loads(files.decode(files.read_bytes(path))))
        except (OSError, ValueError, RecursionError):
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


def service_lines(service: str, directories: list[str], encrypted: Path) -> list[str]:
    """What this node adds to the [Service] section of one unit."""
    writable = [f"ReadWritePaths={quoted(directory)}" for directory in directories]
    names = [name for name in CREDENTIALS[service] if (encrypted / f"vigie.{name}").exists()]
    return writable + [f"LoadCredentialEncrypted={name}:vigie.{name}" for name in names]


def generate(config: Path, target: Path, encrypted: Path = ENCRYPTED) -> None:
    """Write the drop-ins below `target`."""
    read = tables(config)
    for service in SERVICES:
        lines = service_lines(service, elsewhere(config, read), encrypted)
        if lines:
            (target / f"{service}.d").mkdir(parents=True, exist_ok=True)
            (target / f"{service}.d" / "50-node.conf").write_text("\n".join(["[Service]", *lines, ""]), encoding="utf-8")
    if value(read, "node", "role") == "nomadic":
        (target / "vigie.service.d").mkdir(parents=True, exist_ok=True)
        (target / "vigie.service.d" / "60-reboot-when-stuck.conf").symlink_to(REBOOT_WHEN_STUCK)


if __name__ == "__main__":
    generate(CONFIG, Path(sys.argv[1]))
