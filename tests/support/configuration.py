"""A configuration from plain tables, read as a file's would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.config.model import Config
from agent.config.reading import read


def configured(content: Mapping[str, Any]) -> Config:
    """The configuration these tables make; there must be nothing wrong with them."""
    config, faults = read(content)
    assert not faults
    return config
