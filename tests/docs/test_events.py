"""docs/events.md lists what a node really tells."""

from __future__ import annotations

import re
from pathlib import Path

from agent.commissioning.trial_topics import EVENTS as TRIED
from agent.uplink.event_schemas import EVENTS

NAME = re.compile(r"`(\w+)`")
VALUES = {"masked", "opaque"}
ROOT = Path(__file__).parents[2]
TOPIC = re.compile(r'"((?:VideoSource|RecordingConfig|Device|Monitoring|vigie:Evidence)/[A-Za-z:/]+)"')
ROW = re.compile(r"^\| `([A-Za-z]+[:/][A-Za-z:/]+)` \|", re.MULTILINE)


def test_every_event_has_its_schema_and_its_trial() -> None:
    """Page, schemas and doctor tell of the same events, kind by kind and name by name."""
    told: dict[str, tuple[bool, set[str], set[str]]] = {}
    for line in (ROOT / "docs" / "events.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if ROW.match(line):
            told[cells[0].strip("`")] = (cells[1] == "state", set(NAME.findall(cells[2])), set(NAME.findall(cells[3])) - VALUES)
    assert told == {each.topic: (each.state, set(each.source), set(each.data)) for each in EVENTS}
    assert set(told) == set(TRIED)
    assert len({each.name for each in EVENTS}) == len(EVENTS)


def test_every_topic_of_the_code_is_listed_and_no_other() -> None:
    """A hub can be written against the page."""
    used = {topic for file in (ROOT / "agent").rglob("*.py") for topic in TOPIC.findall(file.read_text(encoding="utf-8"))}
    listed = ROW.findall((ROOT / "docs" / "events.md").read_text(encoding="utf-8"))
    assert len(listed) == len(set(listed))
    assert set(listed) == used
