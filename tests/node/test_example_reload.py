"""What config.example.toml says of reloading is what a running node does: its technician reads nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from agent.config.load import load
from agent.node.wiring import build
from agent.recording.feature import RecordingFeature
from tests.node.test_features import BASE, key_names

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
HEADER = re.compile(r"#?\[(\w+)\]")
SUBTABLE = re.compile(r"#?\[+\w+\.")
KEY = re.compile(r"#?(\w+) = ")
SAID = "Applied at reload"


def said_to_be_live(text: str) -> set[str]:
    """Sections and dotted keys of which the comment right above says so; one above a run of keys speaks of each of them."""
    live: set[str] = set()
    section, above, own = "", "", False
    for line in text.splitlines():
        if header := HEADER.match(line):
            section, own = header[1], False
            live |= {section} if SAID in above else set()
        elif SUBTABLE.match(line):
            own = False
        elif key := KEY.match(line):
            own = own or SAID in above
            live |= {f"{section}.{key[1]}"} if own else set()
        elif line.startswith("# "):
            above, own = f"{above} {line}", False
            continue
        else:
            own = False
        above = ""
    return live


def test_the_example_says_applied_at_reload_of_what_is(tmp_path: Path) -> None:
    """A key said to be taken that waits would leave an old value in force; one not said to be would cost a restart."""
    path = tmp_path / "config.toml"
    path.write_text(BASE)
    node = build(load(path), path)
    try:
        taken = {key for key in key_names() if (owner := node.house.owner(key)) is not None and owner.is_live(key)}
    finally:
        node.lock.give_back()
        node.house.find(RecordingFeature).catalog.close()
    said = said_to_be_live(EXAMPLE.read_text())
    assert {key for key in key_names() if said & {key, key.partition(".")[0]}} == taken


def test_a_sentence_left_out_or_put_in_is_seen() -> None:
    """The reading of the example tells a section's sentence from a key's."""
    text = "# Applied at reload.\n[a]\nx = 1\n\n[b]\n# Of two. Applied at reload.\ny = 1\nz = 2\n\n"
    text += "# Alone.\nw = 3\n[[b.t]]\nv = 1\n"
    assert said_to_be_live(text) == {"a", "b.y", "b.z"}
    assert said_to_be_live(text.replace("Applied at reload", "Sometimes")) == set()
