"""What a person reads when something is wrong."""

from __future__ import annotations

from agent.base.errors import StorageError, told_apart
from agent.base.french import in_french
from agent.base.phrase import Phrase, say, small


def test_what_is_wrong_and_the_remedy_are_two_sentences() -> None:
    """However the remedy is written; one that begins with a command keeps it as it is."""
    assert str(StorageError("the disk is full", remedy="free space")) == "the disk is full. Free space"
    assert str(StorageError("no daemon", remedy="`vigie run` starts one")) == "no daemon. `vigie run` starts one"
    assert str(StorageError("the disk is full")) == "the disk is full"


def test_what_was_put_together_is_told_apart_again() -> None:
    """A text as well as what was said, whose remedy can be put into French, and behind an arrow."""
    assert told_apart("the disk is full. Free space. Or wait") == ("the disk is full", "Free space. Or wait")
    assert told_apart("the disk is full") == ("the disk is full", "")
    error = StorageError(say("{root} is gone", root="/srv"), remedy=say("Check that the disk of the recordings is mounted"))
    what, remedy = told_apart(error.words)
    assert (what, remedy) == error.said
    assert isinstance(what, Phrase)
    assert in_french(what) == "/srv a disparu"
    assert str(small(remedy)) == "check that the disk of the recordings is mounted"
    assert in_french(small(remedy)) == "vérifiez que le disque des enregistrements est monté"
