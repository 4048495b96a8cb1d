"""Manners of the command line: help as wide as the place it goes to, whole summaries, examples, and what was meant by a slip."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator
from typing import Final

import click

from agent.base.language import for_reader, reworded
from agent.base.paragraph import UNBROKEN, columns
from agent.base.phrase import say
from agent.cli._examples import EXAMPLES
from agent.cli._help_words import EXAMPLES_BELOW, HelpContext, of_places, summary

WIDEST: Final = 100
"""Columns of a terminal; longer lines are hard to read."""


def width() -> int:
    """Columns for help: COLUMNS where somebody set it, else those of the terminal, else as many as there are words."""
    found = columns(sys.stdout)
    if found is None:
        return UNBROKEN
    return found if os.environ.get("COLUMNS") else min(WIDEST, found)


class Group(click.Group):
    """A group whose list of commands cuts no summary short, and whose commands show examples."""

    context_class = HelpContext

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        return None if found is None else with_examples(found, f"{ctx.command_path} {cmd_name}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, summary(found)) for name, found in commands if found is not None and not found.hidden]
        with formatter.section(reworded("Commands")):
            formatter.write_dl(rows)


def with_examples(command: click.Command, path: str) -> click.Command:
    """The command, its examples behind its help, which is put into the reader's words."""
    command.context_class = HelpContext
    lines = EXAMPLES.get(path.removeprefix("vigie").strip(), ())
    if lines and not command.epilog:
        command.epilog = f"\b\n{EXAMPLES_BELOW}\n" + "\n".join(f"  {line}" for line in lines)
    return command


def meant(error: click.UsageError) -> str:
    """What is wrong with a command line in one sentence, with what was meant: every missing option, the nearest command."""
    context = error.ctx
    if isinstance(error, click.MissingParameter) and context is not None:
        return _missing(context) or error.format_message()
    if isinstance(error, click.exceptions.NoSuchCommand) and context is not None:
        if error.command_name in _OF_THE_SERVICE:
            command = _OF_THE_SERVICE[error.command_name]
            return say("no such command '{name}': the service does it, by `{command}`", name=error.command_name, command=command)
        near = _nearest(error.command_name, context)
        if not near:
            return say("no such command '{name}'", name=error.command_name)
        return say("no such command '{name}'; did you mean `{near}`?", name=error.command_name, near=near)
    if isinstance(error, click.NoSuchOption):
        near = next(iter(error.possibilities or ()), "")
        if not near:
            return say("no such option '{name}'", name=error.option_name)
        return say("no such option '{name}'; did you mean {near}?", name=error.option_name, near=near)
    if isinstance(error, click.BadParameter):  # click puts it into a sentence of its own
        hinted = click.BadParameter(for_reader(error.message), context, error.param, error.param_hint)
        return hinted.format_message()
    return error.message


_OF_THE_SERVICE: Final = {
    **{verb: f"sudo systemctl {verb} vigie" for verb in ("reload", "restart", "start", "stop", "enable", "disable")},
    **dict.fromkeys(("log", "logs", "journal"), "sudo journalctl -u vigie"),
}
"""What people look for here, and systemd does."""


def _missing(context: click.Context) -> str:
    """Every option and argument that is still wanted, as it is written."""
    wanted = [p for p in context.command.get_params(context) if p.required and context.params.get(p.name or "") is None]
    given = {name for name in context.params if context.params[name] is not None}
    names = [_written(param, context) for param in wanted if param.name not in given]
    if not names:
        return ""
    return say("missing: {names}", names=", ".join(names))


def _written(param: click.Parameter, context: click.Context) -> str:
    metavar = of_places(param.make_metavar(context))
    return f"{max(param.opts, key=len)} {metavar}" if isinstance(param, click.Option) else metavar


def _nearest(word: str, context: click.Context) -> str:
    """The command that was meant, also one of a group that was forgotten; empty when none is near."""
    group = context.command
    assert isinstance(group, click.Group)
    names = group.list_commands(context)
    near = difflib.get_close_matches(word.lower(), names, 1, 0.6)
    if near:
        return f"{context.command_path} {near[0]}"
    deeper = dict(_below(group, context))
    near = difflib.get_close_matches(word.lower(), deeper, 1, 0.75)
    return deeper[near[0]] if near else ""


def _below(group: click.Group, context: click.Context) -> Iterator[tuple[str, str]]:
    """The commands of the groups in it, each with its whole path."""
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from ((inner, f"{context.command_path} {name} {inner}") for inner in found.list_commands(context))
