"""The directories a daemon lives in: writable, and its own."""

from __future__ import annotations

import os
from pathlib import Path

from agent.base.errors import DeviceError, StorageError
from agent.base.lock_file import FileLock
from agent.base.phrase import say
from agent.base.system_words import system_words


def only_daemon(state_dir: Path) -> FileLock:
    """The right to be this state directory's daemon. DeviceError when another one runs, which notices nothing of it."""
    lock = FileLock(writable(state_dir / "run") / "daemon", "lock")
    if not lock.taken():
        raise DeviceError(
            say("another daemon runs on {state_dir}", state_dir=state_dir),
            remedy=say("`systemctl status vigie` shows it: stop it first, or give this node a [node] state_dir of its own"),
        )
    return lock


def writable(directory: Path) -> Path:
    """The directory, made if it is missing. StorageError when the daemon could not write there.

    Not the configuration's fault: a disk may be mounted later, so whoever started the daemon shall try again.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            say(
                "the directory {directory} cannot be made: {why}",
                directory=directory,
                why=system_words((error.strerror or str(error)).lower()),
            ),
            remedy=say("Make it and give it to the user the daemon runs as, or set another one"),
        ) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StorageError(
            say("the directory {directory} is not writable", directory=directory),
            remedy=say("Give it to the user the daemon runs as, or set another one"),
        )
    return directory
