"""What is wrong with a configuration, by its text alone."""

from __future__ import annotations

from pathlib import Path

from agent.config.document import Document
from agent.config.finding import Finding, RefusedConfiguration
from agent.config.load import load_from
from agent.config.sources import Sources


def found(text: str) -> list[Finding]:
    """What is wrong with this file; nothing of a good one."""
    try:
        load_from(Sources.of([Document.of(Path("/etc/vigie/config.toml"), text)]))
    except RefusedConfiguration as refused:
        return list(refused.findings)
    return []
