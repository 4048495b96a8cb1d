"""`--help` in the reader's language: its texts stay where they are written, and are looked up where they are printed.

What click says of its own goes the same way, by the seam that it has for gettext. Only for a French reader is a catalogue read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import click

from agent.base.language import for_reader, reworded
from agent.base.phrase import say

EXAMPLES_BELOW: Final = "Examples:"
_UNWRAPPED: Final = "\b"
_METAVAR: Final = re.compile(r"\b[A-Z][A-Z]+\b")
_FACTS: Final = re.compile(r"(?P<help>.*?)(?P<facts>(?:  |^)\[[^\]]*\])?", re.DOTALL)
_KEPT: Final = "Show this message and exit."
CLICK_MODULES: Final = ("core", "decorators", "exceptions", "formatting", "parser", "types")
"""Its modules that say something to whoever types a command."""


class HelpFormatter(click.HelpFormatter):
    """Everything that `--help` prints passes here."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, of_places(args), prefix)

    def write_heading(self, heading: str) -> None:
        words = for_reader(say("{heading}:", heading=heading))
        self.write(f"{'':>{self.current_indent}}{words}\n")

    def write_text(self, text: str) -> None:
        super().write_text("\n\n".join(map(_paragraph, text.split("\n\n"))))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(of_places(first), of_option(second)) for first, second in rows], col_max, col_spacing)


class HelpContext(click.Context):
    """Of every command: its help is put into words here."""

    formatter_class = HelpFormatter


def speak_click() -> None:
    """Let click say its own words by our catalogue, in the language of the moment. Once; what it lacks stays English."""
    for name in CLICK_MODULES:
        module = getattr(click, name)
        for its, ours in (("_", _clicks_own), ("ngettext", _counted)):
            if hasattr(module, its):
                setattr(module, its, ours)


def _clicks_own(sentence: str) -> str:
    """In the language of the moment; what click keeps for good is put into words where it is printed."""
    return sentence if sentence == _KEPT else reworded(sentence)


def _counted(one: str, several: str, number: int) -> str:
    said = reworded(one, number)
    return said if said != one or number == 1 else several


def of_places(text: str) -> str:
    """What stands for something else, `FILE` or `[OPTIONS]`, in words of the reader."""
    return _METAVAR.sub(lambda found: reworded(found[0]), text)


def of_option(text: str) -> str:
    """An option's help; what click adds behind it, `[default: 6]`, is in its words already."""
    found = _FACTS.fullmatch(text)
    assert found is not None
    return _reworded(found["help"]) + (found["facts"] or "")


def summary(command: click.Command) -> str:
    """The first sentence of its help."""
    if command.help is None:
        return ""
    first = reworded(next(paragraphs(command.help), ""))
    return re.split(r"(?<=\.)\s", first, maxsplit=1)[0]


def paragraphs(help_text: str) -> Iterator[str]:
    """Those of a docstring, each on one line."""
    return filter(None, map(folded, help_text.split("\n\n")))


def folded(text: str) -> str:
    """On one line."""
    return " ".join(text.split())


def _reworded(text: str) -> str:
    """By its words, wherever its lines end; what is no text of the catalogue as it is, with its spaces that do not break."""
    words = folded(text)
    said = reworded(words)
    return text if said == words else said


def _paragraph(text: str) -> str:
    if not text.startswith(_UNWRAPPED):
        return _reworded(text)
    return "\n".join(reworded(line) for line in text.split("\n"))


def texts(root: click.Command, name: str, above: click.Context | None = None) -> Iterator[tuple[str, str]]:
    """Every text that the help of `root` and of all commands below it shows, each with the module that has it."""
    context = HelpContext(root, info_name=name, parent=above, **root.context_settings)
    module = getattr(root.callback, "__module__", "") or __name__
    for text in paragraphs(root.help or ""):
        yield module, text
    shown = " ".join(root.collect_usage_pieces(context))
    for param in root.get_params(context):
        record = param.get_help_record(context)
        if record is not None:
            shown += f" {record[0]}"
            if isinstance(param, click.Option) and param.help:
                yield module, folded(param.help)
    for place in _METAVAR.findall(shown):
        yield module, place
    yield __name__, EXAMPLES_BELOW
    yield __name__, "required"  # which click looks up by a variable
    if isinstance(root, click.Group):
        for each in root.list_commands(context):
            found = root.get_command(context, each)
            if found is not None and not found.hidden:
                yield from texts(found, each, context)
