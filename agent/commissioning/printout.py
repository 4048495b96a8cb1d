"""The examination on a terminal: coloured there, plain text anywhere else, and no command ever broken in two."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import IO, Final

import click

from agent.base.language import for_reader
from agent.base.paragraph import columns, paragraph, parts
from agent.base.phrase import many, say
from agent.commissioning.check_words import GRADES, name_of
from agent.commissioning.examination import ExaminationReport
from agent.commissioning.line import Grade, Line

_STYLES: Final = {Grade.OPEN: "cyan", Grade.OK: "green", Grade.WARN: "yellow", Grade.FAIL: "red"}
_NAME_COLUMNS: Final = 23
_ARROW: Final = "-> "
_WIDE: Final = 72
"""Below it the words stand under the name of their line, and not beside it."""


class Printout:
    """Prints subject by subject, as they come. `spell` writes the commands of a remedy as they work here."""

    def __init__(self, stream: IO[str], spell: Callable[[str], str] = str) -> None:
        self._stream = stream
        self._spell = spell
        self._width = columns(stream)
        self._is_coloured = stream.isatty()
        self._grades = {grade: for_reader(word) for grade, word in GRADES.items()}
        self._grade_columns = max(map(len, self._grades.values())) + 1
        self._indent = 2 + self._grade_columns

    def subject(self, name: str, lines: Iterable[Line]) -> None:
        """One subject and its lines, each with its remedy below it."""
        self._print([click.style(for_reader(name_of(name)), bold=True)])
        for line in lines:
            self._line(line)

    def verdict(self, report: ExaminationReport) -> None:
        """The last line: how many of each, and what that means."""
        grades = [line.grade for line in report.lines]
        failed, warned, left = (_counted(grades, grade) for grade in (Grade.FAIL, Grade.WARN, Grade.OPEN))
        if report.grade is Grade.FAIL:
            said: str = say("{failed}, {warned}: this node is not ready", failed=failed, warned=warned)
        elif report.grade is Grade.WARN:
            said = say("{warned}: this node works; look at them before you leave", warned=warned)
        else:
            said = say("all is well")
        said = say("{said} ({left})", said=said, left=left) if Grade.OPEN in grades else said
        said = for_reader(say("{node}: {said}", node=report.config.node.id, said=said))
        self._print(["", *(click.style(line, fg=_STYLES[report.grade]) for line in paragraph(said, self._width, indent=2))])

    def _line(self, line: Line) -> None:
        grade = f"  {self._grades[line.grade]:<{self._grade_columns}}"
        is_beside = self._width is None or self._width >= _WIDE
        indent = self._indent + _NAME_COLUMNS + 1 if is_beside else self._indent
        head = f"{grade}{for_reader(name_of(line.check)):<{_NAME_COLUMNS}} "
        told = paragraph(for_reader(line.measured), self._width, first=head if is_beside else " " * indent, indent=indent)
        if not is_beside:
            told.insert(0, head.rstrip())
        self._print([click.style(grade, fg=_STYLES[line.grade]) + told[0].removeprefix(grade), *told[1:]])
        if line.remedy:
            self._remedy(self._spell(for_reader(line.remedy)), indent)

    def _remedy(self, remedy: str, indent: int) -> None:
        """Under the words of its line; further left as a whole where one of its commands would not fit there."""
        longest = max(map(len, parts(remedy)))
        if self._width is not None and indent + len(_ARROW) + longest > self._width:
            indent = self._indent
        arrow = f"{'':<{indent}}{_ARROW}"
        self._print(paragraph(remedy, self._width, first=arrow, indent=len(arrow)))

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            click.echo(line, file=self._stream, color=self._is_coloured)


def _counted(grades: list[Grade], grade: Grade) -> str:
    number = grades.count(grade)
    if grade is Grade.OPEN:
        return many("1 line left open", "{number} lines left open", number)
    if grade is Grade.FAIL:
        return many("1 failure", "{number} failures", number)
    return many("1 warning", "{number} warnings", number)
