"""Paths in the configuration: relative ones are relative to the file that names them, secrets may come from systemd."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from agent.config.driver_kinds import DRIVERS
from agent.config.fields import Section
from agent.config.locate import KeyPath
from agent.config.model import Config
from agent.config.sources import Sources

CREDENTIAL = "credential:"
"""`password_file = "credential:mqtt-password"` is a file that systemd decrypts for the service (LoadCredential=)."""

SERVICE_CREDENTIALS = "/run/credentials/vigie.service"
"""Where systemd keeps them; CREDENTIALS_DIRECTORY says so to the service itself, not to a command beside it."""


def absolute(config: Config, sources: Sources) -> Config:
    """`config` with every path made absolute, each from the directory of the file that holds it."""
    made = _absolute(config, (), sources)
    assert isinstance(made, Config)
    camera = made.camera
    if DRIVERS[camera.driver].source == "file" and "://" not in camera.source:
        film = _resolve(Path(camera.source), ("camera", "source"), sources)
        made = replace(made, camera=replace(camera, source=str(film)))
    return made


def _absolute(section: Section, at: KeyPath, sources: Sources) -> Section:
    changed: dict[str, Any] = {}
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Path):
            changed[name] = _resolve(value, (*at, name), sources)
        elif isinstance(value, Section):
            changed[name] = _absolute(value, (*at, name), sources)
        elif isinstance(value, tuple) and value and all(isinstance(row, Section) for row in value):
            changed[name] = tuple(_absolute(row, (*at, name, number), sources) for number, row in enumerate(value))
    return replace(section, **changed)


def _resolve(path: Path, key: KeyPath, sources: Sources) -> Path:
    text = str(path)
    if text.startswith(CREDENTIAL):
        return Path(os.environ.get("CREDENTIALS_DIRECTORY", SERVICE_CREDENTIALS)) / text.removeprefix(CREDENTIAL)
    found = sources.place(key)
    holder = found[0] if found else sources.documents[0]
    return Path(os.path.normpath(holder.path.absolute().parent / path))
