"""A catalogue of sentences in one language, read straight from its .po file: what a translator edits is what is spoken.

The subset of gettext's format that Babel writes: comments, msgid, msgid_plural, msgstr, msgstr[0], msgstr[1]; no contexts, no
obsolete entries. Plurals are those of French: none and one are singular.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final, Self

from msgspec import Struct

_LINE: Final = re.compile(r'(?P<word>msgid|msgid_plural|msgstr|msgstr\[[01]\])?\s*(?P<text>".*")\s*')


class Catalogue(Struct, frozen=True):
    """English sentence to its translation: one text, or singular and plural."""

    sentences: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The catalogue in `path`. ValueError with the line for what is no such file."""
        sentences: dict[str, tuple[str, ...]] = {}
        entry: dict[str, str] = {}
        word = ""

        def close() -> None:
            forms = tuple(text for name, text in entry.items() if name.startswith("msgstr") and text)
            if forms:
                sentences[entry["msgid"]] = forms

        for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            found = _LINE.fullmatch(line)
            if found is None:
                raise ValueError(f"{path}:{n}: this is no line of a catalogue")
            word = found["word"] or word
            if found["word"] == "msgid":
                close()
                entry = {}
            entry[word] = entry.get(word, "") + json.loads(found["text"])
        close()
        sentences.pop("", None)
        return cls(sentences)

    def find(self, sentence: str, number: int | None = None) -> str | None:
        """The translation of `sentence`, in the form for `number` of things; None when there is none."""
        forms = self.sentences.get(sentence)
        if forms is None:
            return None
        return forms[-1] if number is not None and abs(number) >= 2 else forms[0]
