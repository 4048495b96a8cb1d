"""The examination on a terminal: coloured there, plain text anywhere else, and no command ever broken in two."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import IO, Final

import click

from agent.base.paragraph import columns, paragraph, parts
from agent.commissioning.examination import ExaminationReport
from agent.commissioning.line import Grade, Line

_STYLES: Final = {Grade.OPEN: "cyan", Grade.OK: "green", Grade.WARN: "yellow", Grade.FAIL: "red"}
_GRADE_COLUMNS, _NAME_COLUMNS = 5, 23
_INDENT: Final = 2 + _GRADE_COLUMNS
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

    def subject(self, name: str, lines: Iterable[Line]) -> None:
        """One subject and its lines, each with its remedy below it."""
        self._print([click.style(name, bold=True)])
        for line in lines:
            self._line(line)

    def verdict(self, report: ExaminationReport) -> None:
        """The last line: how many of each, and what that means."""
        grades = [line.grade for line in report.lines]
        failed, warned, left = (_counted(grades, grade) for grade in (Grade.FAIL, Grade.WARN, Grade.OPEN))
        if report.grade is Grade.FAIL:
            said = f"{failed}, {warned}: this node is not ready"
        elif report.grade is Grade.WARN:
            said = f"{warned}: this node works; look at them before you leave"
        else:
            said = "all is well"
        said = f"{report.config.node.id}: {said}{f' ({left})' if Grade.OPEN in grades else ''}"
        self._print(["", *(click.style(line, fg=_STYLES[report.grade]) for line in paragraph(said, self._width, indent=2))])

    def _line(self, line: Line) -> None:
        grade = f"  {line.grade.word:<{_GRADE_COLUMNS}}"
        is_beside = self._width is None or self._width >= _WIDE
        indent = _INDENT + _NAME_COLUMNS + 1 if is_beside else _INDENT
        head = f"{grade}{line.check:<{_NAME_COLUMNS}} "
        told = paragraph(line.measured, self._width, first=head if is_beside else " " * indent, indent=indent)
        if not is_beside:
            told.insert(0, head.rstrip())
        self._print([click.style(grade, fg=_STYLES[line.grade]) + told[0].removeprefix(grade), *told[1:]])
        if line.remedy:
            self._remedy(self._spell(line.remedy), indent)

    def _remedy(self, remedy: str, indent: int) -> None:
        """Under the words of its line; further left as a whole where one of its commands would not fit there."""
        longest = max(map(len, parts(remedy)))
        if self._width is not None and indent + len(_ARROW) + longest > self._width:
            indent = _INDENT
        arrow = f"{'':<{indent}}{_ARROW}"
        self._print(paragraph(remedy, self._width, first=arrow, indent=len(arrow)))

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            click.echo(line, file=self._stream, color=self._is_coloured)


def _counted(grades: list[Grade], grade: Grade) -> str:
    number = grades.count(grade)
    if grade is Grade.OPEN:
        return "1 line left open" if number == 1 else f"{number} lines left open"
    noun = "failure" if grade is Grade.FAIL else "warning"
    return f"{number} {noun}{'' if number == 1 else 's'}"
