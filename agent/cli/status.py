"""`vigie status`: how the running daemon fares, asked over its local socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from agent.cli._options import config_option, json_option, print_json


@click.command()
@config_option
@json_option
def command(config_path: Path, *, as_json: bool) -> None:
    """How the running daemon fares."""
    from agent.cli._node_files import NodeFiles
    from agent.operations.control_socket import ask

    health = ask(NodeFiles.of(config_path).config.node.state_dir, "status")
    if as_json:
        print_json(health)
    else:
        _show(health)


def _show(health: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{health.get('node')} · Vigie {health.get('version')}", show_header=False, title_justify="left")
    if health.get("config_trouble"):
        table.add_row(Text("configuration refused", style="bold red"), _said(health["config_trouble"]))
    if health.get("restart_needed"):
        table.add_row(Text("waits for a restart", style="bold"), ", ".join(health["restart_needed"]))
    for section, facts in health.items():
        if isinstance(facts, Mapping):
            table.add_row(Text(section, style="bold"), "")
            for name, fact in facts.items():
                table.add_row(f"  {name}", _said(fact))
    Console(markup=False).print(table)


def _said(fact: Any) -> str:
    if isinstance(fact, Mapping):
        return ", ".join(f"{name} {_said(each)}" for name, each in fact.items())
    if fact is None:
        return "–"
    return f"{fact:.1f}" if isinstance(fact, float) else str(fact)
