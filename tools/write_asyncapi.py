"""Writes docs/asyncapi.yaml from the models in agent/uplink and the topics of the features. `make asyncapi` runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from agent.node.wiring import TOPICS  # noqa: E402 - found beside this file's directory
from agent.uplink.asyncapi import document  # noqa: E402

HEADER = (
    "# Made from the code by `make asyncapi`; a test holds it against the code, against live messages and against the parser.\n"
)


def text() -> str:
    """The file as it must be."""
    return HEADER + yaml.safe_dump(document(TOPICS), sort_keys=False, allow_unicode=True, width=130)


if __name__ == "__main__":
    (ROOT / "docs" / "asyncapi.yaml").write_text(text(), encoding="utf-8")
