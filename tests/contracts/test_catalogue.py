"""Whatever the code says to people is in the French catalogue, whole and in order."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.base.catalogue import Catalogue
from agent.base.french import CATALOGUE, in_french
from agent.base.phrase import many, say
from tests.support.said import sentences, words
from tools.write_catalogue import KEYWORDS, Entry, entries, said_in_code, translated

ROOT = Path(__file__).parents[2]
MOST_WORDS = 25


@pytest.fixture(scope="module")
def catalogue() -> list[Entry]:
    """Every entry, as Babel reads it."""
    return entries(translated())


def pairs(entries: list[Entry]) -> Iterator[tuple[str, str]]:
    """Each English text, with its French."""
    for entry in entries:
        yield from zip(entry.english, entry.french, strict=True)


def places(text: str) -> dict[str, str]:
    """The named places of a text, and how each is formatted."""
    return {name: spec or "" for _, name, spec, _ in string.Formatter().parse(text) if name is not None}


def example(spec: str) -> str | float:
    """What that format takes."""
    return 17 if "d" in spec else 1.5 if re.search(r"[%,.efg]", spec) else "x"


def test_every_sentence_of_the_code_is_in_the_catalogue_and_none_else(catalogue: list[Entry]) -> None:
    """`make catalogue` writes in what is missing here and takes out what nobody says any more."""
    code, held = ({entry.english for entry in each} for each in (entries(said_in_code()), catalogue))
    assert (sorted(code - held), sorted(held - code)) == ([], [])


def test_every_sentence_is_translated(catalogue: list[Entry]) -> None:
    """None is empty, none is a guess."""
    assert [entry.english for entry in catalogue if entry.fuzzy or not entry.is_whole] == []


def test_every_translation_has_the_named_places_of_its_sentence(catalogue: list[Entry]) -> None:
    """A fact that the English tells is not lost; a plural may leave its number out where it is one."""
    wrong = [
        (english, french)
        for english, french in pairs(catalogue)
        if places(english).keys() - {"number"} != places(french).keys() - {"number"}
    ]
    assert wrong == []


def test_every_translation_formats_with_the_fields_of_its_sentence(catalogue: list[Entry]) -> None:
    """No traceback where a French reader has the English one's facts; numbers where a number is formatted."""
    for entry in catalogue:
        fields = {name: example(spec) for english in entry.english for name, spec in places(english).items()}
        if len(entry.english) == 2:
            fields.pop("number", None)
            assert all(in_french(many(*entry.english, number, **fields)) for number in (0, 1, 2, 1_000_000))
        else:
            assert in_french(say(*entry.english, **fields))


def test_our_reader_reads_what_babel_reads(catalogue: list[Entry]) -> None:
    """The node does without Babel, and speaks the same."""
    ours = Catalogue.read(CATALOGUE)
    assert ours.sentences == {entry.english[0]: entry.french for entry in catalogue}


def test_french_is_set_as_french_is(catalogue: list[Entry]) -> None:
    """A space that does not break before : ; ! ? % and inside « »; round apostrophes outside of what is typed."""
    wrong = []
    for _, french in pairs(catalogue):
        bare = re.sub(r"`[^`]*`|\"[^\"]*\"", "", french)
        if re.search(r"(?<=\S) [:;!?%»]|« |[^\W\d]'[^\W\d]", bare):
            wrong.append(french)
    assert wrong == []


def typed(text: str) -> set[str]:
    """What a reader types or sets: commands without what stands for something else, tables, keys and options."""
    commands = re.findall(r"`([^`]*)`", text)
    bare = re.sub(r"`[^`]*`|\{[^}]*\}", "", text)
    keys = re.findall(r"\[\[?[a-z_.]+\]\]?|\b[a-z]+_[a-z_]+\b|(?<!\w)--[a-z-]+", bare)
    return {re.sub(r"\b[A-ZÉ]{2,}\b", "X", each) for each in (*commands, *keys)}


def test_every_remedy_can_be_carried_out_in_french(catalogue: list[Entry]) -> None:
    """A command, a key or an option of the English stands in the French, letter by letter."""
    assert [
        (english, typed(english) ^ typed(french)) for english, french in pairs(catalogue) if typed(english) != typed(french)
    ] == []


def test_no_sentence_is_long(catalogue: list[Entry]) -> None:
    """At most 25 words to a sentence: it is read on a ladder."""
    too_long = [sentence for _, french in pairs(catalogue) for sentence in sentences(french) if words(sentence) > MOST_WORDS]
    assert too_long == []


def test_nobody_says_what_cannot_be_found() -> None:
    """A sentence stands as a literal where it is said: Babel finds it, and a translator sees the whole of it."""
    hidden = []
    for path in sorted((ROOT / "agent").rglob("*.py")):
        if path.name == "phrase.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
                said = node.args[: len(KEYWORDS[node.func.id])]
                if not all(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in said):
                    hidden.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert hidden == []
