"""The reader's language: chosen once for a command, and what is said in it.

By the environment first, as POSIX orders it: LC_ALL, LC_MESSAGES, LANG, the first that is set. `C` and `POSIX` are English.
`C.UTF-8` names an encoding and no language, and so does a language that Vigie does not speak: then `[node] language` decides,
and without it English. Until a command begins, everything is English: the daemon, its log and whoever imports this package.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final, Literal, get_args

from agent.base.phrase import Phrase

Language = Literal["en", "fr"]

VARIABLES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")

_now: Language = "en"
_is_open = False
"""True while the environment has said nothing, so that the configuration may."""


def of_environment(environment: Mapping[str, str]) -> Language | None:
    """The language that the environment asks for; None when it says nothing of one that is spoken here."""
    named = next((value for name in VARIABLES if (value := environment.get(name))), "")
    if named in ("C", "POSIX"):
        return "en"
    return spoken_here(named.partition(".")[0].partition("@")[0].partition("_")[0].partition("-")[0])


def spoken_here(code: object) -> Language | None:
    """`code` as a language of ours; None for any other."""
    return next((language for language in get_args(Language) if isinstance(code, str) and code.lower() == language), None)


def begin(environment: Mapping[str, str] = os.environ) -> None:
    """A command for a person begins: speak as the environment wants it."""
    global _now, _is_open
    wanted = of_environment(environment)
    _now, _is_open = wanted or "en", wanted is None


def is_open() -> bool:
    """True while the environment has said nothing, so that the configuration may."""
    return _is_open


def prefer(code: object) -> None:
    """What the configuration asks for; it decides where the environment said nothing."""
    global _now
    if _is_open:
        _now = spoken_here(code) or _now


def end() -> None:
    """The command is over: English again."""
    global _now, _is_open
    _now, _is_open = "en", False


def language() -> Language:
    """The language that is spoken now."""
    return _now


def for_reader(text: str) -> str:
    """`text` in the reader's language as far as it is a Phrase; anything else as it is. For what is printed to people alone."""
    if _now == "en" or not isinstance(text, Phrase):
        return str(text)
    return _translator()(text)


def reworded(sentence: str, number: int = 1) -> str:
    """A sentence that is no Phrase and stands in the catalogue as it is, its places unfilled: of `--help`, and of a library.

    In the form for `number` of things. What the catalogue lacks stays as it is.
    """
    if _now == "en" or not sentence:
        return sentence
    from agent.base.french import catalogue

    return catalogue().find(sentence, number) or sentence


def _translator() -> Callable[[Phrase], str]:
    from agent.base.french import in_french  # only who reads French pays for it

    return in_french
