"""Manners of the command line: what was meant by a slip, help that fits where it goes, examples that work."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from agent.base import language
from agent.cli import run, vigie
from agent.cli._examples import EXAMPLES
from agent.cli._help_words import of_places

REPOSITORY = Path(__file__).parents[2]


def paths(command: click.Command = vigie, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command, groups too."""
    found = [above]
    if isinstance(command, click.Group):
        with click.Context(command, info_name=" ".join(("vigie", *above))) as context:
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                found += paths(inner, (*above, name))
    return found


def at(path: Sequence[str]) -> click.Command:
    """The command of that path."""
    found: click.Command = vigie
    for name in path:
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), name)
        assert inner is not None
        found = inner
    return found


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["statsu"], "did you mean `vigie status`?"),
        (["validate"], "did you mean `vigie masks validate`?"),
        (["masks", "vaildate"], "did you mean `vigie masks validate`?"),
        (["help", "exprot"], "did you mean `vigie export`?"),
        (["export", "--form", "x"], "did you mean --from?"),
        (["export", "--to", "2026-11-23T10:15:00Z"], "missing: --from TIME, --out FILE, --operator TEXT, --reference TEXT"),
        (["verify"], "missing: FILE, --ca PEM"),
        (["reload"], "`sudo systemctl reload vigie`"),
        (["logs"], "`sudo journalctl -u vigie`"),
        (["hold", "release", "PV 2026/118", "--by", "A. Martin"], "'PV 2026/118' is no hold's number: `vigie hold list`"),
        (["register", "--last", "all"], "'all' is no whole number: write one of at least 1"),
        (["doctor", "--look", "long"], "'long' is no number: write one from 0.5 to 600"),
        (["live", "open", "--for", "an hour"], "'an hour' is no whole number: write one from 1 to"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(typed: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest command or option, also one of a group that was forgotten; every missing option at once."""
    assert run(typed) == 2
    assert words in capsys.readouterr().err


def test_help_is_a_command_and_the_same_as_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    """`vigie help COMMAND` and `vigie COMMAND --help`, for groups and commands in them."""
    for path in ([], ["masks"], ["masks", "validate"], ["check"]):
        run(["help", *path])
        one = capsys.readouterr().out
        run([*path, "--help"])
        assert capsys.readouterr().out.split("\n", 1)[1] == one.split("\n", 1)[1]


def test_whatever_stands_for_a_file_is_named_in_the_readers_words() -> None:
    """FICHIER, as in a sentence of the help: click's own word for a path is no name of a place."""
    language.begin({"LC_ALL": "fr_FR.UTF-8"})
    try:
        unnamed = [
            (path, param.opts)
            for path in paths()
            for command in (at(path),)
            for param in command.params
            if isinstance(param.type, click.Path) and "CHEMIN" in of_places(param.make_metavar(click.Context(command)))
        ]
    finally:
        language.end()
    assert unnamed == []


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_help_fits_its_width(columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No line of any command beyond COLUMNS but one to copy; whole summaries; one newline at the end."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for path in paths():
        run([*path, "--help"])
        said = capsys.readouterr().out
        assert said.endswith("\n"), path
        assert not said.endswith("\n\n"), path
        assert all(len(line) <= columns for line in said.splitlines() if not is_to_copy(line)), said
        assert "..." not in said.partition("Commands:")[2], said


def is_to_copy(line: str) -> bool:
    """True for an example."""
    return line.strip().startswith(("vigie ", "sudo vigie "))


def test_in_a_pipe_no_line_is_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every paragraph on one line: it can be searched and copied."""
    monkeypatch.delenv("COLUMNS", raising=False)
    run(["doctor", "--help"])
    said = capsys.readouterr().out
    assert "(the camera is then judged by what it tells) and without it. Exits with 0 when nothing fails, 1 when" in said


def test_a_terminal_of_80_columns_is_respected() -> None:
    """As a terminal tells it, not only COLUMNS."""
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", "80", "rows", "24"], stdin=theirs, check=True)
    process = subprocess.Popen([sys.executable, "-m", "agent", "--help"], stdout=theirs, cwd=REPOSITORY)
    os.close(theirs)
    said = b""
    while True:
        try:
            more = os.read(ours, 4096)
        except OSError:  # the terminal's end, once nobody holds it
            break
        if not more:
            break
        said += more
    os.close(ours)
    assert process.wait(60) == 0
    lines = said.decode().splitlines()
    assert 70 < max(map(len, lines)) <= 80


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_every_example_is_understood(line: str) -> None:
    """Its command exists, and takes what is given to it."""
    words = [word for word in shlex.split(line.partition(" && ")[0].partition(" > ")[0]) if word != "sudo"]
    assert words[0] == "vigie"
    command: click.Command = vigie
    context, rest = click.Context(vigie, info_name="vigie"), words[1:]
    while isinstance(command, click.Group) and rest:
        found = command.get_command(context, rest[0])
        assert found is not None
        command, rest = found, rest[1:]
        if isinstance(command, click.Group):
            context = click.Context(command, info_name=command.name, parent=context)
    command.make_context(command.name, rest, parent=context)


def test_every_command_has_an_example() -> None:
    """Of each that does something by itself."""
    leaves = {" ".join(path) for path in paths() if path} - {
        "config",
        "deploy",
        "fleet",
        "hold",
        "identity",
        "live",
        "masks",
        "retention",
    }
    assert leaves == set(EXAMPLES)


def test_make_help_names_every_target() -> None:
    """Each with words, and `make` alone is the same."""
    make = ["make", "--no-print-directory"]  # called by a make, it names its directory
    said = subprocess.run([*make, "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert subprocess.run(make, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout == said
    phony = next(line for line in (REPOSITORY / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    told = {line.split()[1] for line in said.splitlines() if len(line.split()) > 3}
    assert told == set(phony.split()[1:])


def test_commands_are_tried_as_people_call_them() -> None:
    """Through `vigie`: a command called by itself keeps for good that it has no `-h`, and later tests in that process see it."""
    alone = re.compile(r"^from agent\.cli\.\w+ import .*\bcommand\b", re.MULTILINE)
    assert alone.search("from agent.cli.check import command as check")
    found = [path for path in Path(__file__).parents[1].rglob("*.py") if alone.search(path.read_text())]
    assert not found
