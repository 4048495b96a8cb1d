"""Brings agent/locale/fr/LC_MESSAGES/vigie.po up to date with the sentences in the code. `make catalogue` runs it.

New sentences come in with an empty translation, to be written; those that the code says no more go.
"""

from __future__ import annotations

import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import click
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po, write_po
from msgspec import Struct

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from agent.base.french import CATALOGUE  # noqa: E402 - found beside this file's directory
from agent.cli import vigie  # noqa: E402
from agent.cli._help_words import CLICK_MODULES, texts  # noqa: E402

METHODS = [("agent/**/static/**.js", "javascript"), ("agent/**.py", "python"), ("hardware/**.py", "python")]
HEADER = "# What Vigie says to people, in French. `make catalogue` adds what is new in the code; a test finds what is missing."
# Babel would have a third form, for millions.
MIME = [
    ("Language", "fr"),
    ("Plural-Forms", "nplurals=2; plural=(n > 1);"),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "8bit"),
]
_NOISE = tuple(
    f'"{name}:'
    for name in (
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Generated-By",
        "Project-Id-Version",
        "Report-Msgid-Bugs-To",
        "Last-Translator",
        "Language-Team",
    )
)
KEYWORDS = {"say": (1,), "sentence": (1,), "many": (1, 2)}
CLICK_KEYWORDS = {"_": (1,), "ngettext": (1, 2)}
CLICK = [Path(click.__file__).with_name(f"{name}.py") for name in CLICK_MODULES]


class Entry(Struct, frozen=True):
    """A sentence and its translation; both forms of one that counts."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    fuzzy: bool

    @property
    def is_whole(self) -> bool:
        return len(self.french) == len(self.english) and all(self.french)


def entries(catalogue: Any) -> list[Entry]:
    """All there are, without the header."""
    return [
        Entry(
            tuple(message.id) if message.pluralizable else (message.id,),
            tuple(message.string) if message.pluralizable else (message.string,),
            message.fuzzy,
        )
        for message in catalogue
        if message.id
    ]


def said_in_code() -> Catalog:
    """Every sentence that `say` and `many` are given, each text of `--help`, and what click says: without translations."""
    catalogue = Catalog(locale="fr", fuzzy=False, header_comment=HEADER)
    catalogue.mime_headers = MIME
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a field may be an f-string: it holds what is the same in every language
        found = list(extract_from_dir(str(ROOT), METHODS, keywords=KEYWORDS))
        clicks = [(each, path.name) for path in CLICK for each in extract_from_file("python", str(path), CLICK_KEYWORDS)]
    for file, line, sentence, _, _ in sorted(found, key=lambda each: (each[0], each[1])):
        catalogue.add(sentence, locations=[(file, line)])
    for module, text in texts(vigie, "vigie"):
        catalogue.add(text, locations=[(f"{module.replace('.', '/')}.py", 0)])
    for (_, sentence, _, _), name in clicks:
        catalogue.add(sentence, locations=[(f"click/{name}", 0)])
    return catalogue


def said_in_scripts(directory: Path) -> set[str]:
    """Every sentence that the scripts of a page say."""
    found = extract_from_dir(str(directory), [("**.js", "javascript")], keywords=KEYWORDS)
    return {sentence for _, _, sentence, _, _ in found if isinstance(sentence, str)}


def translated() -> Catalog:
    """What the catalogue holds, as Babel reads it."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="fr", abort_invalid=True)


def text(catalogue: Catalog) -> str:
    """The file, with the place of each sentence but not its line, which changes with every edit."""
    out = BytesIO()
    write_po(out, catalogue, width=120, omit_header=False, include_lineno=False, ignore_obsolete=True, sort_output=False)
    lines = out.getvalue().decode("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith(_NOISE)) + "\n"


def main() -> int:
    """Write the file; 1 when sentences wait for their translation."""
    fresh = said_in_code()
    if CATALOGUE.exists():
        for message in translated():
            if message.id and message.id in fresh:
                fresh[message.id].string = message.string
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    CATALOGUE.write_text(text(fresh), encoding="utf-8")
    waiting = [entry for entry in entries(fresh) if not entry.is_whole]
    sys.stdout.write(f"{CATALOGUE.relative_to(ROOT)}: {len(fresh)} sentences, {len(waiting)} to be translated\n")
    return 1 if waiting else 0


if __name__ == "__main__":
    raise SystemExit(main())
