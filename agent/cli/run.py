"""`vigie run`: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from agent.base.phrase import say
from agent.cli._numbers import Measure
from agent.cli._options import config_option


@click.command()
@config_option
@click.option("--for", "for_s", type=Measure(min=0.1), metavar="SECONDS", help="stop by itself after so long")
@click.option(
    "--summary", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="write what was done as JSON at the end"
)
def command(config_path: Path, for_s: float | None, summary: Path | None) -> int:
    """The daemon: capture, mask, record, report. SIGTERM stops it in order, SIGHUP reads the configuration again."""
    from agent.base.output_file import Output
    from agent.node.daemon import SUMMARY_OPENING, become_daemon

    if summary is not None:
        if not summary.absolute().parent.is_dir():
            raise click.UsageError(say("--summary: there is no directory {parent}", parent=summary.absolute().parent))
        Output(summary, SUMMARY_OPENING)  # refused before anything runs
    become_daemon(config_path, for_s, summary)
