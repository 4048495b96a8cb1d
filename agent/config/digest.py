"""The digest that names a configuration in health and in the register."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from agent.config.model import Config


def config_digest(config: Config) -> str:
    """SHA-256, in hexadecimal, of the effective configuration: two files that mean the same have the same digest.

    No secret goes in: the configuration names files that hold secrets, never a secret.
    """
    canonical = json.dumps(json_values(config), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def json_values(config: Config) -> Any:
    """The configuration in values JSON knows: paths and dates as text, what is not set as null."""
    return msgspec.to_builtins(config, enc_hook=str)
