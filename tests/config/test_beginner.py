"""A corpus of beginners' mistakes: all of them at once, each at its line, each with a remedy that can be pasted."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Sequence

import pytest

from agent.config.edit import apply
from agent.config.finding import Finding
from tests.support.beginners import MISTAKES, RIGHT, Mistake, made
from tests.support.findings import found


def line_of(finding: Finding) -> int:
    """Where it is told; 0 for the file as a whole."""
    return finding.span.line if finding.span else 0


def drawn(count: int, seed: int) -> tuple[str, list[tuple[int, Mistake]]]:
    """So many mistakes that do not want the same lines."""
    random_one = random.Random(seed)
    while True:
        file = made(random_one.sample(list(MISTAKES), count))
        if file is not None:
            return file


def check_findings(text: str, mistakes: Sequence[tuple[int, Mistake]]) -> list[Finding]:
    """Every mistake is told at its line and in its words, and nothing else is held against the file."""
    told = found(text)
    for line, mistake in mistakes:
        assert any(line_of(f) == line and mistake.words in f.headline for f in told), (mistake.name, *map(str, told))
    assert {line_of(f) for f in told} == {line for line, _ in mistakes}, [str(f) for f in told]
    return told


def check_remedies(text: str, told: Sequence[Finding]) -> None:
    """Each one pasted alone takes its finding away; all of them leave a file that is accepted."""
    lines = text.split("\n")
    for finding in told:
        assert finding.edits, str(finding)
        pasted = found("\n".join(apply(lines, finding.edits)))
        said = (finding.key, finding.what)  # two mistakes may be told in the same words
        before, after = ([(f.key, f.what) for f in each].count(said) for each in (told, pasted))
        assert after < before, str(finding)
    for _ in range(3):
        text = "\n".join(apply(text.split("\n"), [edit for finding in told for edit in finding.edits]))
        told = found(text)
    assert not told, (text, [str(f) for f in told])
    tomllib.loads(text)


def test_the_corpus_is_large_and_its_right_file_is_right() -> None:
    """Sixty mistakes at least, each of its own kind, in a file that is accepted without them."""
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 60
    assert found(RIGHT) == []


@pytest.mark.parametrize(
    ("key", "written", "meant"),
    [
        ("camera", "source = 10.0.0.9", 'source = "rtsp://10.0.0.9:554/stream"'),
        ("camera", 'source = "10.0.0.9"', 'source = "rtsp://10.0.0.9:554/stream"'),
        ("camera", "source = 10.0.0.9:8554/main", 'source = "rtsp://10.0.0.9:8554/main"'),
        ("camera", "url = 10.0.0.9", 'source = "rtsp://10.0.0.9:554/stream"'),
        ("camera", "adresse: 10.0.0.9", 'source = "rtsp://10.0.0.9:554/stream"'),
        ("mqtt", "url = 10.0.0.9", 'url = "mqtts://10.0.0.9:8883"'),
        ("mqtt", 'url = "10.0.0.9"', 'url = "mqtts://10.0.0.9:8883"'),
        ("mqtt", "broker = 10.0.0.9", 'url = "mqtts://10.0.0.9:8883"'),
    ],
)
def test_the_number_of_a_machine_is_one_mistake_and_answered_with_the_whole_address(key: str, written: str, meant: str) -> None:
    """With scheme, port and a camera's path: the line can be pasted as it is."""
    before = 'source = "rtsp://10.0.0.9/stream"' if key == "camera" else 'url = "mqtts://hub.town.fr:8883"'
    assert RIGHT.count(before) == 1
    told = found(RIGHT.replace(before, written))
    assert [[line for edit in finding.edits for line in edit.lines] for finding in told] == [[meant]]
    assert found(RIGHT.replace(before, meant)) == []


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_one_mistake(mistake: Mistake) -> None:
    """One finding or two on one line, the true mistake, and a remedy that mends it."""
    file = made([mistake])
    assert file is not None
    check_remedies(file[0], check_findings(*file))


@pytest.mark.parametrize("seed", range(60))
def test_two_mistakes_hide_nothing_of_each_other(seed: int) -> None:
    """Whatever the other is."""
    text, mistakes = drawn(2, seed)
    check_remedies(text, check_findings(text, mistakes))


@pytest.mark.parametrize("seed", range(60))
def test_five_mistakes_at_once(seed: int) -> None:
    """All findings at once, each at its line, and every remedy pasted gives a file that is accepted."""
    text, mistakes = drawn(5, 1000 + seed)
    check_remedies(text, check_findings(text, mistakes))
