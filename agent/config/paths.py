"""Paths in the configuration: relative ones are relative to the file, secrets may come from systemd."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from agent.config.model import Config, Section

CREDENTIAL = "credential:"
"""`password_file = "credential:mqtt-password"` is a file that systemd decrypts for the service (LoadCredential=)."""


def absolute(config: Config, path: Path) -> Config:
    """`config` with every path made absolute, as read from the file `path`."""
    made = _absolute(config, path.absolute().parent)
    assert isinstance(made, Config)
    if made.camera.driver == "file" and "://" not in made.camera.source:
        source = str(_resolve(Path(made.camera.source), path.absolute().parent))
        made = made.model_copy(update={"camera": made.camera.model_copy(update={"source": source})})
    return made


def _absolute(section: BaseModel, base: Path) -> BaseModel:
    changed: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Path):
            changed[name] = _resolve(value, base)
        elif isinstance(value, Section):
            changed[name] = _absolute(value, base)
    return section.model_copy(update=changed)


def _resolve(path: Path, base: Path) -> Path:
    text = str(path)
    if text.startswith(CREDENTIAL):
        directory = os.environ.get("CREDENTIALS_DIRECTORY", "/run/credentials/vigie.service")
        return Path(directory) / text.removeprefix(CREDENTIAL)
    return Path(os.path.normpath(base / path.expanduser()))
