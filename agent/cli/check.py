"""`vigie check`: is this configuration fit to run with?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agent.base.phrase import say
from agent.cli._options import config_option, json_option, print_json
from agent.config.finding import RefusedConfiguration
from agent.config.load import load_from
from agent.config.sources import Sources


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@config_option
@json_option
@click.pass_context
def command(context: click.Context, file: Path | None, config_path: Path, as_json: bool) -> int:
    """Check the configuration: every error at once, each with its line, a caret and the remedy.

    Exits with 0 when a node can run with it, 78 when not.
    """
    from agent.config.report import check_document, print_findings, print_summary

    if file is not None:
        if context.get_parameter_source("config_path") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(say("FILE and --config name two files: give one"), context)
        config_path = file
    sources = Sources.read(config_path)
    try:
        config = load_from(sources)
    except RefusedConfiguration as refused:
        if as_json:
            print_json(check_document(config_path, sources, refused.findings, None))
        else:
            print_findings(refused.findings, sys.stderr)
        return refused.exit_code
    if as_json:
        print_json(check_document(config_path, sources, (), config))
    else:
        print_summary(config_path, config, sources, sys.stdout)
    return 0
