"""How a process of ours ends: its exit code, and on stderr one clear text for every error a user can meet, never a traceback."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Final

from agent.base.errors import VigieError

FAILED: Final = 1
INTERRUPTED: Final = 130
OUTPUT_REFUSED: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What only the place that stdout goes to says; EIO may come from what was read as well.

A file of ours that is refused has a name, or is told as a VigieError.
"""


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


def tell_all(code: int) -> int:
    """Write out what stdout still holds, before the process leaves with `code`; what leaves instead when that is refused."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # The interpreter would try the same bytes again at its end, and complain in its own words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return leave(error) if not isinstance(error, BrokenPipeError) else FAILED
    return code


def speak_any_language() -> None:
    """A terminal that knows ASCII alone shows `?` for the rest, rather than ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="replace")


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
    if isinstance(error, OSError) and error.errno in (*OUTPUT_REFUSED, errno.EIO):
        return f"the output cannot be written: {(error.strerror or str(error)).lower()}. Is there room where it goes?"
    # A bug, not the user's fault: one line, and the traceback only for who asks for it.
    return (
        f"internal error: {type(error).__name__}: {error}. "
        "Please report it with what VIGIE_TRACEBACK=1 shows when you run the same command again"
    )
