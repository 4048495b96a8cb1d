"""`vigie status`: how the running daemon fares, asked over its local socket."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from agent.cli._legible import legible
from agent.cli._options import config_option, json_option, print_json

_NAME_COLUMNS: Final = 22


@click.command()
@config_option
@click.option("-v", "--verbose", is_flag=True, help="every fact that the daemon tells")
@json_option
def command(config_path: Path, *, verbose: bool, as_json: bool) -> None:
    """How the running daemon fares: in two lines, then what matters; with -v everything."""
    from agent.cli._node_files import NodeFiles
    from agent.operations.control_socket import ask

    health = ask(NodeFiles.of(config_path).config.node.state_dir, "status")
    if as_json:
        print_json(health)
    else:
        _show(health, verbose=verbose)


def _show(health: Mapping[str, Any], *, verbose: bool) -> None:
    from agent.base.language import for_reader
    from agent.base.paragraph import columns, paragraph
    from agent.base.phrase import say
    from agent.cli._status_words import facts, headline, verdict
    from agent.ports.health_words import everything

    width = columns(sys.stdout)
    for line in (headline(health), verdict(health)):
        click.echo("\n".join(paragraph(legible(for_reader(line)), width, indent=2)))
    click.echo()
    told = [(for_reader(name), legible(for_reader(words))) for name, words in (everything if verbose else facts)(health)]
    names = max(_NAME_COLUMNS if verbose else 12, *(len(name) + 2 for name, _ in told))
    for name, words in told:
        click.echo("\n".join(paragraph(words, width, first=f"  {name:<{names}}", indent=names + 2)))
    if not verbose:
        click.echo("\n".join(paragraph(for_reader(say("`vigie status -v` shows everything.")), width)))
