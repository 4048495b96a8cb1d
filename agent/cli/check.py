"""`vigie check`: is this configuration fit to run with?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from agent.config.finding import RefusedConfiguration
from agent.config.load import load


@click.command("check")
@click.option("--config", "path", type=click.Path(path_type=Path), default=Path("/etc/vigie/config.toml"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(path: Path, as_json: bool) -> int:
    """Check the configuration: every error at once, each with its line, a caret and the remedy.

    Exits with 0 when the node can run with it, 78 when not.
    """
    from agent.config.report import check_document, print_findings, print_summary

    try:
        config = load(path)
    except RefusedConfiguration as refused:
        if as_json:
            click.echo(json.dumps(check_document(path, refused.findings, None), indent=2))
        else:
            print_findings(refused.findings, sys.stderr)
        return refused.exit_code
    if as_json:
        click.echo(json.dumps(check_document(path, (), config), indent=2))
    else:
        print_summary(path, config, sys.stdout)
    return 0
