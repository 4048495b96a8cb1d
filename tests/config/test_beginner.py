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
        assert (finding.key, finding.what) not in {(f.key, f.what) for f in pasted}, str(finding)
    for _ in range(3):
        text = "\n".join(apply(text.split("\n"), [edit for finding in told for edit in finding.edits]))
        told = found(text)
    assert not told, (text, [str(f) for f in told])
    tomllib.loads(text)


def test_the_corpus_is_large_and_its_right_file_is_right() -> None:
    """Sixty mistakes at least, each of its own kind, in a file that is accepted without them."""
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 60
    assert found(RIGHT) == []


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
