"""`vigie run`: the daemon."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import click

from agent.cli._options import config_option


@click.command()
@config_option
@click.option("--for", "for_s", type=click.FloatRange(min=0.1), metavar="SECONDS", help="stop by itself after so long")
@click.option(
    "--summary", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="write what was done as JSON at the end"
)
def command(config_path: Path, for_s: float | None, summary: Path | None) -> int:
    """The daemon: capture, mask, record, report. SIGTERM stops it in order, SIGHUP reads the configuration again."""
    from agent.config.load import load
    from agent.drivers import begin_log
    from agent.starting import enter_changes
    from agent.supervisor import Ending
    from agent.wiring import build

    if summary is not None and not summary.absolute().parent.is_dir():
        raise click.UsageError(f"--summary: there is no directory {summary.absolute().parent}")
    config = load(config_path)
    begin_log(config)
    node = build(config, config_path)
    enter_changes(config_path, config, node.parts.register)
    signal.signal(signal.SIGTERM, lambda *_: node.supervisor.stop())
    signal.signal(signal.SIGINT, lambda *_: node.supervisor.stop())
    signal.signal(signal.SIGHUP, lambda *_: node.supervisor.ask_reload())
    ending = node.run(for_s=for_s)
    if summary is not None:
        summary.write_text(json.dumps(node.summary(), indent=2) + "\n", encoding="utf-8")
    return 1 if ending is Ending.FAILED else 0
