"""What the outbox says when its file refuses."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from agent.base.errors import OutboxError
from agent.base.phrase import say
from agent.base.regular_file import IrregularFileError
from agent.base.system_words import system_words


def unopened(path: Path | None, error: OSError | sqlite3.Error) -> OutboxError:
    """It cannot be opened; a file of another kind says itself what to do."""
    if isinstance(error, IrregularFileError):
        return OutboxError(say("the outbox {path} cannot be opened: {why}", path=path, why=system_words(error.strerror)))
    return OutboxError(
        say("the outbox {path} cannot be opened: {why}", path=path, why=error),
        remedy=say("check with `vigie doctor` that the disk is mounted, writable and not full"),
    )


def unread(error: sqlite3.Error) -> OutboxError:
    """It cannot be read."""
    return OutboxError(say("the outbox cannot be read: {why}", why=error), remedy=say("`vigie doctor` measures the disk"))
