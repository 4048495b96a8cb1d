"""How a process of ours ends: its exit code, and on stderr one clear text for every error a user can meet, never a traceback."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from typing import Final

from agent.base.errors import VigieError
from agent.base.language import for_reader
from agent.base.phrase import say
from agent.base.system_words import system_words

FAILED: Final = 1
INTERRUPTED: Final = 130
OUTPUT_REFUSED: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What only the place that stdout goes to says; EIO may come from what was read as well.

A file of ours that is refused has a name, or is told as a VigieError.
"""


STARTED_BY: Final = "VIGIE_STARTED_BY"
"""Set by the installed command (systemd/vigie) where it has given up root."""
_FOR_ROOT_TOO: Final = say(
    "Under sudo `vigie` works as user vigie. What it is to read: chgrp vigie FILE; chmod 640 FILE."
    " What it is to write: name a file in /var/lib/vigie"
)


def leave(error: BaseException) -> int:
    """Tell `error` as far as it is one, and the exit code that goes with it. Raises it again for who sets VIGIE_TRACEBACK."""
    if isinstance(error, VigieError):
        _say(_told(error.text(for_reader), error))
        return error.exit_code
    if _was_interrupted(error):
        return INTERRUPTED
    if isinstance(error, SystemExit):
        if isinstance(error.code, str):  # a benchmark that cannot measure says why
            _say(error.code)
        # click and rich leave so when nobody reads the output any more: told in part is not done, whatever was to be told.
        return FAILED
    if "VIGIE_TRACEBACK" in os.environ:
        raise error
    _say(_told(for_reader(_in_words(error)), error))
    return FAILED


def for_root(words: str) -> str:
    """With what root must know where something is forbidden: the installed command has become the node's user."""
    if os.environ.get(STARTED_BY) != "root":
        return words
    return f"{words}{'' if words.endswith(('?', '.')) else '.'} {for_reader(_FOR_ROOT_TOO)}"


def _told(words: str, error: BaseException) -> str:
    return for_root(words) if any(isinstance(each, PermissionError) for each in _with_causes(error)) else words


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


def hear_every_interrupt() -> None:
    """Ctrl-C is heard also where Python can only ignore it: in a destructor or a weak reference's callback. Main thread.

    It comes again a moment later, when that callback has returned.
    """
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    sys.unraisablehook = _once_more


def _once_more(ignored: sys.UnraisableHookArgs) -> None:
    if issubclass(ignored.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, 0.01)
    else:
        sys.__unraisablehook__(ignored)


def _say(words: str) -> None:
    try:
        sys.stderr.write(f"vigie: {words}\n")
    except OSError:
        pass  # nobody reads; the exit code still says it


def _was_interrupted(error: BaseException) -> bool:
    """Ctrl-C, also while a class is made or a library loads: Python hands it on wrapped in an error of another type."""
    return any(isinstance(each, KeyboardInterrupt) for each in _with_causes(error))


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def why_refused(error: OSError) -> str:
    """The reason of the system, in the reader's words as far as it is one of the usual ones."""
    return system_words((error.strerror or str(error)).lower())


def _is_nowhere() -> bool:
    """Whether the directory this process was started in is there no more."""
    try:
        os.getcwd()  # noqa: PTH109 - the same, and it says what is asked
    except FileNotFoundError:
        return True
    return False


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return say("{file}: {why}. Is it there, and may this user use it?", file=error.filename, why=why_refused(error))
    if isinstance(error, OSError) and error.errno in (*OUTPUT_REFUSED, errno.EIO):
        return say("the output cannot be written: {why}. Is there room where it goes?", why=why_refused(error))
    if isinstance(error, FileNotFoundError) and _is_nowhere():
        return say("the directory this was started in is there no more: change into one that is (`cd /`), and name files in full")
    # A bug, not the user's fault: one line, and the traceback only for who asks for it.
    return say(
        "internal error: {kind}: {error}. Please report it with what VIGIE_TRACEBACK=1 shows when you run the same command again",
        kind=type(error).__name__,
        error=error,
    )
