"""`vigie help`: what there is, and how each command is used."""

from __future__ import annotations

from collections.abc import Sequence

import click

from agent.base.phrase import say


@click.command("help")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def command(context: click.Context, words: Sequence[str]) -> None:
    """Show the commands, or how one of them is used: the same as COMMAND --help."""
    at = context.parent
    assert at is not None
    for word in words:
        group = at.command
        found = group.get_command(at, word) if isinstance(group, click.Group) else None
        if found is None and isinstance(group, click.Group):
            raise click.exceptions.NoSuchCommand(word, ctx=at)
        if found is None:
            raise click.UsageError(say("`{path}` has no command {word!r}", path=at.command_path, word=word), at)
        at = found.context_class(found, info_name=word, parent=at)
    click.echo(at.get_help())
