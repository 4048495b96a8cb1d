"""docs/events.md lists what a node really tells."""

from __future__ import annotations

import re
from pathlib import Path

from agent.node.wiring import TOPICS

NAME = re.compile(r"`(\w+)`")
VALUES = {"masked", "opaque"}
ROOT = Path(__file__).parents[2]
TOPIC = re.compile(
    r'"((?:VideoSource|RecordingConfig|Device|Monitoring)/[A-Za-z:/]+'
    r'|vigie:(?:Moved|Tilted|Theft|(?:Evidence|Live|Deployment|Power|Link)/[A-Za-z:/]+))"'
)
ROW = re.compile(r"^\| `([A-Za-z]+[:/][A-Za-z:/]+)` \|", re.MULTILINE)


def test_every_topic_of_the_features_is_told_of() -> None:
    """Page and features tell of the same events, kind by kind, name by name, and in the same class."""
    told: dict[str, tuple[bool, set[str], set[str], str]] = {}
    for line in (ROOT / "docs" / "events.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if ROW.match(line):
            data = set(NAME.findall(cells[3])) - VALUES
            told[cells[0].strip("`")] = (cells[1] == "state", set(NAME.findall(cells[2])), data, cells[4])
    assert told == {each.name: (each.state, set(each.source), set(each.data), each.grade) for each in TOPICS}
    assert len({each.title for each in TOPICS}) == len(TOPICS)


def test_every_topic_of_the_code_is_listed_and_no_other() -> None:
    """A hub can be written against the page."""
    used = {topic for file in (ROOT / "agent").rglob("*.py") for topic in TOPIC.findall(file.read_text(encoding="utf-8"))}
    listed = ROW.findall((ROOT / "docs" / "events.md").read_text(encoding="utf-8"))
    assert len(listed) == len(set(listed))
    assert set(listed) == used
