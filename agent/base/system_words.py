"""What the operating system says of a refusal: a phrase, as far as it is one of the usual ones."""

from __future__ import annotations

from typing import Final

from agent.base.phrase import say

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


def system_words(told: object) -> str:
    """`told` is the system's text for an error."""
    return _WORDS.get(str(told), str(told))
