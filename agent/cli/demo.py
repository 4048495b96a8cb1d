"""`vigie demo`: a whole node on this machine, with its broker, its local page and the feed as the centre sees it."""

from __future__ import annotations

from pathlib import Path

import click

from agent.cli._numbers import Measure, Whole
from agent.cli._options import json_option, print_json


@click.command()
@click.option("--source", type=click.Path(path_type=Path), metavar="FILM", help="any film; default: a drawn town square")
@click.option("--mask", "masks", multiple=True, metavar="NAME=X,Y ...", help="a private space: name=0.1,0.2 0.3,0.2 ...")
@click.option("--for", "for_s", type=Measure(min=1), metavar="SECONDS", help="end by itself; default: until Ctrl-C")
@click.option("--dir", "directory", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="default: ./demo-TIME")
@click.option("--port", type=Whole(0, 65535), help="of the local page; 0 for any; default: 8080, or a free one")
@json_option
def command(
    source: Path | None, masks: tuple[str, ...], for_s: float | None, directory: Path | None, port: int | None, *, as_json: bool
) -> int:
    """Show everything: camera, masks, recording, events, the centre's view. Ctrl-C ends it with a summary."""
    from agent.demo.demonstration import Demonstration

    demonstration = Demonstration(source, masks, directory, port, quiet=as_json)
    summary = demonstration.run(for_s)
    if as_json:
        print_json(summary)
    return 0 if summary["ending"] != "failed" else 1
