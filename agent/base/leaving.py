"""How a process of ours ends: its exit code, and on stderr one clear text for every error a user can meet, never a traceback."""

from __future__ import annotations

import os
import sys
from typing import Final

from agent.base.errors import VigieError

FAILED: Final = 1
INTERRUPTED: Final = 130


def leave(error: BaseException) -> int:
    """Tell `error` as far as it is one, and the exit code that goes with it. Raises it again for who sets VIGIE_TRACEBACK."""
    if isinstance(error, VigieError):
        _say(str(error))
        return error.exit_code
    if _was_interrupted(error):
        return INTERRUPTED
    if isinstance(error, SystemExit):
        # click and rich leave so when nobody reads the output any more: told in part is not done, whatever was to be told.
        return FAILED
    if "VIGIE_TRACEBACK" in os.environ:
        raise error
    _say(_in_words(error))
    return FAILED


def _say(words: str) -> None:
    try:
        sys.stderr.write(f"vigie: {words}\n")
    except OSError:
        pass  # nobody reads; the exit code still says it


def _was_interrupted(error: BaseException | None) -> bool:
    """Ctrl-C, also while a class is made or a library loads: Python hands it on wrapped in an error of another type."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {(error.strerror or str(error)).lower()}. Is it there, and may this user use it?"
    # A bug, not the user's fault: one line, and the traceback only for who asks for it.
    return (
        f"internal error: {type(error).__name__}: {error}. "
        "Please report it with what VIGIE_TRACEBACK=1 shows when you run the same command again"
    )
