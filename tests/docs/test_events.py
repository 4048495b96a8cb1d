"""docs/events.md lists what a node really tells."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOPIC = re.compile(r'"((?:VideoSource|RecordingConfig|Device|Monitoring|vigie:Evidence)/[A-Za-z:/]+)"')
ROW = re.compile(r"^\| `([A-Za-z]+[:/][A-Za-z:/]+)` \|", re.MULTILINE)


def test_every_topic_of_the_code_is_listed_and_no_other() -> None:
    """A hub can be written against the page."""
    used = {topic for file in (ROOT / "agent").rglob("*.py") for topic in TOPIC.findall(file.read_text(encoding="utf-8"))}
    listed = ROW.findall((ROOT / "docs" / "events.md").read_text(encoding="utf-8"))
    assert len(listed) == len(set(listed))
    assert set(listed) == used
