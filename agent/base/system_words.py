"""What the operating system or Python says of a refusal: a phrase, as far as it is one of the usual ones."""

from __future__ import annotations

import re
from typing import Final

from agent.base.phrase import Phrase, say

_WORDS: Final = {
    str(words): words
    for words in (
        say("No such file or directory"),
        say("no such file or directory"),
        say("Permission denied"),
        say("permission denied"),
        say("Operation not permitted"),
        say("operation not permitted"),
        say("Is a directory"),
        say("is a directory"),
        say("Not a directory"),
        say("not a directory"),
        say("No space left on device"),
        say("no space left on device"),
        say("Read-only file system"),
        say("read-only file system"),
        say("Input/output error"),
        say("input/output error"),
        say("File exists"),
        say("Connection refused"),
        say("Connection reset by peer"),
        say("Network is unreachable"),
        say("No route to host"),
        say("Address already in use"),
        say("Cannot assign requested address"),
        say("Name or service not known"),
        say("Temporary failure in name resolution"),
        say("No such device"),
        say("Device or resource busy"),
    )
}


_NO_MODULE: Final = re.compile(r"No module named '([\w.]+)'")


def system_words(told: object) -> str:
    """`told` is the system's text for an error."""
    text = str(told)
    if (found := _NO_MODULE.fullmatch(text)) is not None:
        return say("No module named '{name}'", name=found[1])
    return _WORDS.get(text, text)


def worded(error: BaseException) -> str:
    """An error that stands in a sentence: one of ours as it was said, any other in the system's words. Reads as `str(error)`."""
    said = getattr(error, "words", "")
    return said if isinstance(said, Phrase) else system_words(error)
