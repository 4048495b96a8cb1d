"""What a command says to the person who gave it: in that person's language."""

from __future__ import annotations

import click

from agent.base.language import for_reader


def tell(text: str, *, err: bool = False) -> None:
    """One line on stdout, or with `err` on stderr."""
    click.echo(for_reader(text), err=err)
