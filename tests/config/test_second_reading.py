"""The tolerant second reading: it finds, it proposes, and it lets nothing through that the strict one refuses."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.config.edit import apply
from agent.config.finding import Finding
from agent.config.syntax import parse
from tests.support.beginners import RIGHT
from tests.support.findings import found

EXAMPLE = (Path(__file__).parents[2] / "config.example.toml").read_text()
AWAKE = "\n".join(line[1:] if line[:1] == "#" and line[1:2] not in (" ", "") else line for line in EXAMPLE.split("\n"))
"""The example with every key at rest awake: some of them exclude each other."""

ODD = [
    "",
    '"',
    "'",
    "=",
    ":",
    "[",
    "]",
    ",",
    " ",
    "#",
    "“",
    "\t",
    "\\",
    "0",
    "x",
    "\n",
    "{",
    "\u00a0",
    "é",
    '"""',
    "\x07",
    ".",
    "-",
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A configuration after some slips of the hand."""
    lines = draw(st.sampled_from([RIGHT, EXAMPLE, AWAKE])).split("\n")
    for _ in range(draw(st.integers(1, 6))):
        row = draw(st.integers(0, len(lines) - 1))
        line = lines[row]
        at = draw(st.integers(0, len(line)))
        match draw(st.integers(0, 5)):
            case 0:
                lines[row] = line[:at] + draw(st.sampled_from(ODD)) + line[at:]
            case 1:
                lines[row] = line[:at] + draw(st.sampled_from(ODD)) + line[at + 1 :]
            case 2:
                lines[row : row + 2] = ["".join(lines[row : row + 2])]
            case 3:
                lines.insert(draw(st.integers(0, len(lines))), line)
            case 4:
                lines[row] = line[at:]
            case _:
                del lines[row : row + draw(st.integers(1, 2))]
    return "\n".join(lines)


def is_toml(text: str) -> bool:
    """What the strict reading says."""
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return False
    return True


def alike(findings: list[Finding]) -> Counter[tuple[str, str, str]]:
    """How often each finding stands there, wherever."""
    return Counter((f.key, f.what, f.snippet.strip()) for f in findings)


@settings(max_examples=50, deadline=None)
@given(mutated())
def test_what_the_strict_reading_refuses_is_refused(text: str) -> None:
    """Slips exactly where tomllib has something to say, and a file with one is never accepted; no traceback."""
    assert bool(parse(text).slips) == (not is_toml(text))
    if not is_toml(text):
        assert found(text)


@settings(max_examples=50, deadline=None)
@given(mutated())
def test_a_remedy_pasted_takes_its_finding_away(text: str) -> None:
    """Each alone: the same finding stands there once less."""
    told = found(text)
    for finding in told[:4]:
        if finding.edits:
            pasted = "\n".join(apply(text.split("\n"), finding.edits))
            same = (finding.key, finding.what, finding.snippet.strip())
            left = found(pasted)
            # Of a key that stands twice the other one comes into force: one finding less all the same.
            assert alike(left)[same] < alike(told)[same] or len(left) < len(told), (str(finding), pasted)


@settings(max_examples=30, deadline=None)
@given(mutated())
def test_all_remedies_pasted_give_toml(text: str) -> None:
    """After some rounds of pasting what is proposed the file is TOML, or has a line that nobody repeats: it may hold a secret."""
    for _ in range(6):
        edits = [edit for finding in found(text) for edit in finding.edits]
        text = "\n".join(apply(text.split("\n"), edits))
    assert is_toml(text) or any(not finding.edits for finding in found(text)), ([str(f) for f in found(text)], text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*ODD, "id", "node", "polygon", "mask", "privacy", "1,2", "true", "\n", "="]), max_size=40))
def test_any_soup_of_signs_is_read(signs: list[str]) -> None:
    """Never a traceback, and never accepted unless it is TOML."""
    text = "".join(signs)
    assert bool(parse(text).slips) == (not is_toml(text))
    found(text)
