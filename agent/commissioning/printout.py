"""The examination on a terminal: coloured there, plain text anywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from agent.commissioning.examination import ExaminationReport
from agent.commissioning.line import Grade, Line

_STYLES = {Grade.OK: "green", Grade.WARN: "yellow", Grade.FAIL: "bold red"}
_NAME_COLUMNS = 24


class Printout:
    """Prints subject by subject, as they come."""

    def __init__(self, stream: IO[str]) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)

    def subject(self, name: str, lines: Iterable[Line]) -> None:
        """One subject and its lines, each with its remedy below it."""
        self._print(Text(name, style="bold"))
        for line in lines:
            self._print(
                Text.assemble(
                    "  ",
                    (f"{line.grade.word:<5}", _STYLES[line.grade]),
                    f"{line.check:<{_NAME_COLUMNS}}",
                    line.measured,
                )
            )
            if line.remedy:
                self._print(Text(f"  {'':<{5 + _NAME_COLUMNS}}-> {line.remedy}", style="italic"))

    def verdict(self, report: ExaminationReport) -> None:
        """The last line: how many of each, and what that means."""
        grades = [line.grade for line in report.lines]
        failed, warned = grades.count(Grade.FAIL), grades.count(Grade.WARN)
        if failed:
            said = f"{_count(failed, 'failure')}, {_count(warned, 'warning')}: this node is not ready"
        elif warned:
            said = f"{_count(warned, 'warning')}: this node works; look at them before you leave"
        else:
            said = "all is well"
        self._console.print()
        self._print(Text(f"{report.config.node.id}: {said}", style=_STYLES[report.grade]))

    def _print(self, text: Text) -> None:
        if self._console.is_terminal:
            indent = 2 + 5 + _NAME_COLUMNS
            first, *rest = text.wrap(self._console, self._console.width - indent if len(text) > self._console.width else 10_000)
            self._console.print(first)
            for line in rest:
                self._console.print(Padding(line, (0, 0, 0, indent)))
        else:
            self._console.print(text, soft_wrap=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
