"""`vigie doctor`: is this pole right? Everything a technician checks before the ladder comes down."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.base.phrase import say
from agent.cli._numbers import Measure
from agent.cli._options import DEFAULT_CONFIG, config_option, json_option, print_json
from agent.cli._speech import tell

if TYPE_CHECKING:
    from agent.commissioning.examination import Means
    from agent.config.model import Config


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
    type=Measure(0.5, 600),
    default=6.0,
    show_default=True,
    metavar="SECONDS",
    help="how long to watch the camera",
)
@click.option("--focus", is_flag=True, help="only the focus figure, again and again, while you turn the lens (Ctrl-C ends)")
def command(config_path: Path, *, as_json: bool, sheet: Path | None, look_s: float, focus: bool) -> int:
    """Examine this node: camera, masks, disk, clock, identity, broker, board. Each line ok, warn, fail or open, with the remedy.

    Works with the daemon running (the camera is then judged by what it tells) and without it. Exits with 0 when nothing
    fails, 1 when something does, 78 when the configuration is refused.
    """
    from agent.base.clock import SystemClock
    from agent.base.output_file import Output
    from agent.commissioning.broker_trial import trial_of
    from agent.commissioning.commands_here import CommandsHere
    from agent.commissioning.examination import Means, examine
    from agent.commissioning.line import Grade
    from agent.commissioning.printout import Printout
    from agent.commissioning.sheet import OPENING
    from agent.commissioning.sheet import sheet as conformity_sheet
    from agent.config.load import load
    from agent.identity.node_key import IdentityDirectory
    from agent.node import drivers
    from agent.node.wiring import TOPICS
    from agent.ports.mqtt import BrokerCredentials
    from agent.uplink.feature import credentials_of

    paper = None if sheet is None else Output(sheet, OPENING)
    config = load(config_path)
    _may_look(config.node.state_dir)
    logging.getLogger().addHandler(logging.NullHandler())  # what a component warns of stands on the sheet, once
    spell = CommandsHere.of(config_path, DEFAULT_CONFIG, config.node.state_dir)
    credentials = credentials_of(config.mqtt) if config.mqtt else BrokerCredentials()
    means = Means(
        clock=SystemClock(),
        open_camera=drivers.open_camera,
        board=drivers.open_board(),
        identity=IdentityDirectory.here(config.identity_dir),
        credentials=credentials,
        log_in=trial_of(config, lambda: drivers.open_transport(credentials), TOPICS, SystemClock()),
        look_s=look_s,
    )
    if focus:
        return _turn_the_lens(config, means)
    printout = Printout(sys.stdout, spell)
    report = examine(config, means, tell=printout.subject if not as_json else lambda *_: None)
    if paper is not None:
        paper.write(conformity_sheet(report).encode())
    if as_json:
        print_json(report.document(spell))
    else:
        printout.verdict(report)
        if sheet is not None:
            tell(say("conformity sheet: {sheet}", sheet=sheet))
    return 1 if report.grade is Grade.FAIL else 0


def _may_look(state_dir: Path) -> None:
    """DeviceError for whoever may not: each line would say so, and the camera that the daemon holds would seem broken."""
    from agent.base.errors import DeviceError

    try:
        state_dir.stat()
    except FileNotFoundError:
        return
    except PermissionError:
        pass
    else:
        if os.access(state_dir, os.R_OK | os.X_OK):
            return
    raise DeviceError(say("you may not look into {state_dir}", state_dir=state_dir), remedy=say("`sudo vigie doctor`"))


def _turn_the_lens(config: Config, means: Means) -> int:
    from agent.commissioning.focus import FocusBar, readings

    bar, redrawn = FocusBar(), sys.stdout.isatty()
    try:
        for figure in readings(config, means):
            click.echo(("\r\x1b[K" if redrawn else "") + bar.line(figure), nl=not redrawn)
    except KeyboardInterrupt:
        click.echo()
    return 0
