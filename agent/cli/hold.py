"""`vigie hold`: exempt a span of time from destruction, for a legal reference."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.table import Column, Table

from agent.base.clock import rfc3339
from agent.base.language import for_reader
from agent.base.phrase import many, moment, say
from agent.cli._instant import Instant
from agent.cli._manners import Group
from agent.cli._node_files import NodeFiles
from agent.cli._numbers import HoldNumber
from agent.cli._options import SHORTEST_REFERENCE, EntryText, config_option, json_option, print_json
from agent.cli._speech import tell
from agent.cli._tables import console
from agent.recording.catalog import Catalog
from agent.recording.hold import EvidenceHold, Holds


@click.group(cls=Group)
def command() -> None:
    """Evidence hold on a span of time, with its legal reference."""


@command.command()
@click.option("--from", "from_ns", type=Instant(), required=True, help="first instant: RFC 3339, or as on the picture")
@click.option("--to", "to_ns", type=Instant(), required=True, help="last instant: RFC 3339, or as on the picture")
@click.option("--reference", type=EntryText(SHORTEST_REFERENCE), required=True, help="the requisition or file number")
@click.option("--by", type=EntryText(), required=True, help="who orders it")
@click.option("--until", "until_ns", type=Instant(), help="when the hold ends by itself; default: by `release` only")
@config_option
@json_option
def add(config_path: Path, from_ns: int, to_ns: int, reference: str, by: str, until_ns: int | None, *, as_json: bool) -> None:
    """Hold footage: neither its day nor a full disk destroys it."""
    node = NodeFiles.of(config_path)
    catalog = node.catalog()
    hold = Holds(catalog, node.register(), node.clock).add(from_ns, to_ns, reference, by, until_ns)
    segments = len(catalog.span(from_ns, to_ns))
    gone = sum(span.segments for span in catalog.destroyed(from_ns, to_ns))
    if as_json:
        print_json({**_fields(hold, catalog), "destroyed_segments": gone})
        return
    tell(many("hold {id} is in force over 1 segment", "hold {id} is in force over {number} segments", segments, id=hold.id))
    if gone:
        tell(
            many(
                "vigie: 1 segment of this span had been destroyed before",
                "vigie: {number} segments of this span had been destroyed before",
                gone,
            ),
            err=True,
        )
    elif not segments:
        tell(say("vigie: there is no footage of this span yet; what comes will be held"), err=True)


@command.command(name="list")
@click.option("--all", "every", is_flag=True, help="released ones as well")
@config_option
@json_option
def list_holds(config_path: Path, *, every: bool, as_json: bool) -> None:
    """The holds in force."""
    node = NodeFiles.of(config_path)
    catalog = node.catalog()
    holds = Holds(catalog, node.register(), node.clock)
    found = holds.all() if every else holds.active()
    if as_json:
        print_json({"holds": [_fields(hold, catalog) for hold in found]})
        return
    if not found:
        tell(say("no hold is in force") if not every else say("there never was a hold"))
        return
    names = (say("from"), say("to"), say("reference"), say("by"), say("until"), say("state"))
    table = Table(for_reader(say("hold")), *(Column(for_reader(name), overflow="fold") for name in names))
    for hold in found:
        state = (
            say("in force")
            if hold.active
            else say("released by {by}, {at}", by=hold.released_by, at=moment(hold.released_ns or 0))
        )
        until = moment(hold.until_ns) if hold.until_ns is not None else say("release")
        times = (for_reader(each) for each in (moment(hold.from_ns), moment(hold.to_ns)))
        table.add_row(str(hold.id), *times, hold.reference, hold.by, for_reader(until), for_reader(state))
    console(sys.stdout).print(table)


@command.command()
@click.argument("hold_id", type=HoldNumber(), metavar="HOLD")
@click.option("--by", type=EntryText(), required=True, help="who releases it")
@config_option
@json_option
def release(config_path: Path, hold_id: int, by: str, *, as_json: bool) -> None:
    """End a hold by its number, which `vigie hold list` shows; footage past its day goes at the next sweep."""
    node = NodeFiles.of(config_path)
    catalog = node.catalog()
    hold = Holds(catalog, node.register(), node.clock).release(hold_id, by)
    if as_json:
        print_json(_fields(hold, catalog))
    else:
        tell(say("hold {id} is released", id=hold.id))


def _fields(hold: EvidenceHold, catalog: Catalog) -> dict[str, object]:
    return {
        "id": hold.id,
        "from": rfc3339(hold.from_ns),
        "to": rfc3339(hold.to_ns),
        "reference": hold.reference,
        "by": hold.by,
        "until": None if hold.until_ns is None else rfc3339(hold.until_ns),
        "held_at": rfc3339(hold.held_ns),
        "active": hold.active,
        "released_at": None if hold.released_ns is None else rfc3339(hold.released_ns),
        "released_by": hold.released_by,
        "segments": len(catalog.span(hold.from_ns, hold.to_ns)),
    }
