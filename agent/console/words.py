"""The language of a page: which one a browser reads, the words its scripts say, and what the node tells it.

A page's sentences stand in its scripts, in English, as `say("...")`; their French comes from the one catalogue, handed over as
one more script. The daemon itself goes on in English: a page's language is each visitor's own, and lies in no state.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agent.base.language import Language, spoken_here
from agent.base.phrase import Phrase

_SAID: Final = re.compile(r'\bsay\(\s*("(?:[^"\\]|\\.)*")')
_SCRIPT: Final = """\
// The words of this page, and how they are said. Made by the node.
"use strict";
export const language = %(language)s;
const words = %(words)s;
export const say = (sentence, fields = {}) =>
  (words[sentence] ?? sentence).replace(/\\{(\\w+)\\}/g, (_, name) => String(fields[name]));
"""
_LONGEST_HEADER: Final = 500


def wanted(configured: Language | None, accepted: str) -> Language:
    """`[node] language` where it is set, else the first that the browser's Accept-Language prefers and that is spoken here."""
    if configured is not None:
        return configured
    ranked: list[tuple[float, Language]] = []
    for part in accepted[:_LONGEST_HEADER].split(","):
        tag, _, weight = part.partition(";")
        found = spoken_here(tag.strip().partition("-")[0])
        if found is not None:
            ranked.append((_weight(weight), found))
    best = max(ranked, key=lambda each: each[0], default=(0.0, "en"))  # of equals the first
    return best[1] if best[0] > 0 else "en"


def _weight(told: str) -> float:
    name, _, value = told.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def told(text: str, language: Language) -> str:
    """`text` in that language as far as it is a Phrase."""
    if language == "en" or not isinstance(text, Phrase):
        return str(text)
    from agent.base.french import in_french  # only who reads French pays for it

    return in_french(text)


@functools.cache
def sentences(directory: Path) -> tuple[str, ...]:
    """Every sentence that the scripts in it say."""
    scripts = (path.read_text(encoding="utf-8") for path in sorted(directory.glob("*.js")))
    return tuple(dict.fromkeys(json.loads(found) for script in scripts for found in _SAID.findall(script)))


@functools.cache
def script(directory: Path, language: Language) -> str:
    """`words.js`: exports `language`, and `say(sentence, {name: value})`, which puts the values into the named places."""
    words: Mapping[str, Any] = {}
    if language != "en":
        from agent.base.french import catalogue

        found = {sentence: catalogue().find(sentence) for sentence in sentences(directory)}
        words = {sentence: french for sentence, french in found.items() if french is not None}
    return _SCRIPT % {"language": json.dumps(language), "words": json.dumps(words, ensure_ascii=False, indent=2)}
