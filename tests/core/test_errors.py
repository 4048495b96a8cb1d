"""What a person reads when something is wrong."""

from __future__ import annotations

from agent.base.errors import StorageError


def test_what_is_wrong_and_the_remedy_are_two_sentences() -> None:
    """However the remedy is written; one that begins with a command keeps it as it is."""
    assert str(StorageError("the disk is full", remedy="free space")) == "the disk is full. Free space"
    assert str(StorageError("no daemon", remedy="`vigie run` starts one")) == "no daemon. `vigie run` starts one"
    assert str(StorageError("the disk is full")) == "the disk is full"
