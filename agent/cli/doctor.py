"""`vigie doctor`: is this pole right? Everything a technician checks before the ladder comes down."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agent.cli._options import config_option, json_option, print_json


@click.command()
@config_option
@json_option
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="write the conformity sheet (HTML, in French)",
)
@click.option(
    "--look",
    "look_s",
    type=click.FloatRange(0.5, 600),
    default=6.0,
    show_default=True,
    metavar="SECONDS",
    help="how long to watch the camera",
)
def command(config_path: Path, as_json: bool, sheet: Path | None, look_s: float) -> int:
    """Examine this node: camera, masks, disk, clock, identity, broker, board. Each line ok, warn or fail, with the remedy.

    Works with the daemon running (the camera is then judged by what it tells) and without it. Exits with 0 when nothing
    fails, 1 when something does, 78 when the configuration is refused.
    """
    from agent import wiring
    from agent.clock import SystemClock
    from agent.commissioning.broker import log_in_with
    from agent.commissioning.examination import Means, examine
    from agent.commissioning.line import Grade
    from agent.commissioning.printout import Printout
    from agent.commissioning.sheet import write_sheet
    from agent.config.load import load
    from agent.ports import BrokerCredentials

    config = load(config_path)
    credentials = wiring.credentials_of(config.mqtt) if config.mqtt else BrokerCredentials()
    means = Means(
        clock=SystemClock(),
        open_camera=wiring.open_camera,
        board=wiring.open_board(),
        identity=wiring.identity_of(config),
        credentials=credentials,
        log_in=log_in_with(lambda: wiring.open_transport(credentials), config.node.id),
        look_s=look_s,
    )
    printout = Printout(sys.stdout)
    report = examine(config, means, tell=printout.subject if not as_json else lambda *_: None)
    if sheet is not None:
        write_sheet(sheet, report)
    if as_json:
        print_json(report.document())
    else:
        printout.verdict(report)
        if sheet is not None:
            click.echo(f"conformity sheet: {sheet}")
    return 1 if report.grade is Grade.FAIL else 0
