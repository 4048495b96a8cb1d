"""A phrase is English to every machine, and French to the reader who asked for it."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from agent.base import french, language
from agent.base.catalogue import Catalogue
from agent.base.errors import StorageError
from agent.base.language import for_reader
from agent.base.phrase import Phrase, amount, day, joined, many, moment, say, size
from agent.base.spelled import restored, spelled

NS = 1_000_000_000
CATALOGUE = """
msgid ""
msgstr "Language: fr"

msgid "{count} frames of {share:.1%} are lost by {camera}"
msgstr "{camera} a perdu {count} images, soit {share:.1%}"

msgid "one line of {path}"
msgid_plural "{number} lines of {path}"
msgstr[0] "{number} ligne de {path}"
msgstr[1] "{number} lignes de {path}"

msgid "the lens"
msgstr "l’objectif"

msgid "{path}: {what}"
msgstr "{path} : {what}"

msgid "{amount} days"
msgstr "{amount} jours"

msgid "extracted {pictures} verified pictures to {out}, sha256 {sha256}"
msgstr "{pictures} images vérifiées extraites vers {out}, sha256 {sha256}"

msgid "picamera2 cannot be loaded ({error})"
msgstr "picamera2 ne se charge pas ({error})"

msgid "No module named '{name}'"
msgstr "le module {name} manque à Python"

msgid "; "
msgstr " ; "

msgid "since {at}"
msgstr "depuis le {at}"

msgid "give "
"it time"
msgstr "laissez-lui "
"le temps"
"""


@pytest.fixture(autouse=True)
def french_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A reader of French, and a small catalogue of its own."""
    path = tmp_path / "vigie.po"
    path.write_text(CATALOGUE, encoding="utf-8")
    small = Catalogue.read(path)
    monkeypatch.setattr(french, "catalogue", lambda: small)
    language.begin({"LANG": "fr_FR.UTF-8"})
    yield
    language.end()


def lost() -> Phrase:
    """A sentence with a number, a share and a phrase in it."""
    return say("{count} frames of {share:.1%} are lost by {camera}", count=3, share=0.125, camera=say("the lens"))


ENGLISH = "3 frames of 12.5% are lost by the lens"


def test_the_reader_has_it_in_french_with_the_words_in_another_order() -> None:
    """Named places move, numbers take a comma and a space, and a phrase in a phrase is translated as well."""
    assert for_reader(lost()) == "l’objectif a perdu 3 images, soit 12,5\u00a0%"


def test_a_colon_between_two_phrases_stands_apart_as_in_french() -> None:
    """Behind words; behind the name of a file it does not, nor in English."""
    told = joined(": ", ("film.mp4", say("the lens"), joined("; ", (say("the lens"), "it"))))
    assert (for_reader(told), str(told)) == (
        "film.mp4: l’objectif\u00a0: l’objectif\u00a0; it",
        "film.mp4: the lens: the lens; it",
    )


def test_whatever_machines_take_is_english(caplog: pytest.LogCaptureFixture) -> None:
    """JSON, SQL, pickles, f-strings, the log, errors: none has to be told."""
    with caplog.at_level(logging.WARNING):
        logging.getLogger("agent").warning("%s", lost())
    assert caplog.messages == [ENGLISH]
    assert json.loads(json.dumps({"what": lost()})) == {"what": ENGLISH}
    assert sqlite3.connect(":memory:").execute("select ?", (lost(),)).fetchone() == (ENGLISH,)
    assert pickle.loads(pickle.dumps(lost())) == copy.deepcopy(lost()) == f"{lost()}" == "%s" % lost() == ENGLISH  # noqa: UP031
    error = StorageError(lost(), remedy=say("give it time"))
    assert str(error) == f"{ENGLISH}. Give it time"
    assert type(error.what) is type(error.remedy) is str


def test_an_error_tells_a_reader_both_of_its_halves() -> None:
    """What is wrong and the remedy, which begins a sentence of its own."""
    error = StorageError(lost(), remedy=say("give it time"))
    assert error.text(for_reader) == "l’objectif a perdu 3 images, soit 12,5\u00a0%. Laissez-lui le temps"


@pytest.mark.parametrize(
    ("number", "english", "said"),
    [
        (0, "0 lines of a", "0 ligne de a"),
        (1, "one line of a", "1 ligne de a"),
        (2, "2 lines of a", "2 lignes de a"),
        (12345, "12345 lines of a", "12\u202f345 lignes de a"),
    ],
)
def test_plurals_are_those_of_each_language(number: int, english: str, said: str) -> None:
    """None is plural in English and singular in French; what counts is grouped."""
    counted = many("one line of {path}", "{number} lines of {path}", number, path="a")
    assert (str(counted), for_reader(counted)) == (english, said)


@pytest.mark.parametrize(
    ("days", "said"),
    [(0.0, "0 jour"), (1.0, "1 jour"), (1.8, "1,8 jour"), (1.96, "2,0 jours"), (2.0, "2 jours"), (30.5, "30,5 jours")],
)
def test_french_has_its_plural_from_two_on(days: float, said: str) -> None:
    """Whatever a sentence counts, by the number as it is read: 1,8 jour."""
    told = for_reader(say("{amount} days", amount=amount(days, 0 if days.is_integer() else 1)))
    assert told.replace("\u00a0", " ") == said


def test_what_is_said_of_the_counted_is_singular_too() -> None:
    """Noun and adjectives, up to the first word that is not counted."""
    told = say("extracted {pictures} verified pictures to {out}, sha256 {sha256}", pictures=1, out="a", sha256="b")
    assert for_reader(told) == "1 image vérifiée extraite vers a, sha256 b"


def test_an_error_within_a_sentence_is_said_as_it_was_said() -> None:
    """An exception put into a place: one of ours as a phrase, Python's in words that are known; over the socket as well."""
    missing = say("picamera2 cannot be loaded ({error})", error=ModuleNotFoundError("No module named 'picamera2'"))
    ours = say("{path}: {what}", path="a", what=StorageError(lost(), remedy=say("give it time")))
    assert str(missing) == "picamera2 cannot be loaded (No module named 'picamera2')"
    assert for_reader(missing) == "picamera2 ne se charge pas (le module picamera2 manque à Python)"
    assert for_reader(ours).endswith("l’objectif a perdu 3 images, soit 12,5\u00a0%. Laissez-lui le temps")
    over = restored(json.loads(json.dumps([missing, ours])), json.loads(json.dumps(spelled([missing, ours]))))
    assert [for_reader(each) for each in over] == [for_reader(missing), for_reader(ours)]


def test_what_is_joined_or_added_stays_translatable() -> None:
    """Each part by itself, the plain ones as they are."""
    listed = joined(say("; "), (say("the lens"), "pole-17"))
    assert (str(listed), for_reader(listed)) == ("the lens; pole-17", "l’objectif ; pole-17")
    added = "/dev/video0: " + say("the lens") + ", 3"
    assert (str(added), for_reader(added)) == ("/dev/video0: the lens, 3", "/dev/video0: l’objectif, 3")


def test_days_hours_and_bytes_are_written_as_a_reader_expects() -> None:
    """RFC 3339 and B become a French day, hour and octets; never in what machines take."""
    at = moment(1_795_992_312 * NS + 345_000_000)
    assert str(say("since {at}", at=at)) == "since 2026-11-29T22:45:12.345Z"
    assert for_reader(say("since {at}", at=at)).replace("\u00a0", " ") == "depuis le 29/11/2026 à 22 h 45 min 12,345 s UTC"
    assert (str(day(date(2026, 11, 30))), for_reader(day(date(2026, 11, 30)))) == ("2026-11-30", "30/11/2026")
    assert [(str(size(n)), for_reader(size(n)).replace("\u00a0", " ")) for n in (0, 999, 1_234_000, 5_120_000_000)] == [
        ("0 B", "0 octets"),
        ("999 B", "999 octets"),
        ("1.23 MB", "1,23 Mo"),
        ("5.12 GB", "5,12 Go"),
    ]


def test_a_sentence_that_nobody_translated_is_english() -> None:
    """Rather than nothing."""
    assert for_reader(say("nobody knows {what}", what="this")) == "nobody knows this"


@pytest.mark.parametrize("text", ['msgid "a"\nmsgstr b\n', "msgid a\n", "what is this\n"])
def test_a_torn_catalogue_is_refused_at_its_line(tmp_path: Path, text: str) -> None:
    """A ValueError that names the line."""
    path = tmp_path / "torn.po"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"{path}:\d: "):
        Catalogue.read(path)
