"""`vigie live`: leases to look in at the running node's picture."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from agent.base.language import for_reader
from agent.base.phrase import instant, say
from agent.cli._manners import Group
from agent.cli._numbers import Whole
from agent.cli._options import EntryText, config_option, json_option, print_json
from agent.cli._speech import tell
from agent.operations.caller import Role
from agent.operations.payloads import LONGEST_LEASE_S, USUAL_LEASE_S
from agent.ports.live import Rendition, Way

_WAYS: Final = [way.value for way in Way]
_ADDRESSES: Final = ("rtsps", "rtsp", "page")

_seconds_option = click.option(
    "--for",
    "seconds",
    type=Whole(1, LONGEST_LEASE_S),
    default=USUAL_LEASE_S,
    show_default=True,
    metavar="SECONDS",
    help="how long from now on",
)


@click.group(cls=Group)
def command() -> None:
    """Leases to look in at the live picture: each is in the register before anybody sees a frame."""


@command.command(name="open")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="as whom they look")
@click.option("--by", type=EntryText(), required=True, help="who looks: their name, as the register shall have it")
@click.option("--station", type=EntryText(), help="where they are")
@click.option("--why", type=EntryText(), help="what they look for")
@click.option("--incident", type=EntryText(), help="the reference of the incident, where there is one")
@click.option("--low", is_flag=True, help="the small picture for a weak line: 640 samples wide, five a second")
@_seconds_option
@click.option(
    "--transport", type=click.Choice([way.value for way in Way]), default=Way.RTSP.value, show_default=True, help="by which way"
)
@config_option
@json_option
def open_lease(
    config_path: Path,
    role: str,
    by: str,
    station: str | None,
    why: str | None,
    incident: str | None,
    seconds: int,
    transport: str,
    *,
    low: bool,
    as_json: bool,
) -> None:
    """Let somebody look in; what is printed holds the password, this once."""
    who = {"role": role, "by": by, "station": station or "", "why": why or "", "incident": incident or ""}
    picture = Rendition.LOW.value if low else Rendition.FULL.value
    opened = _ask(config_path, "lease-open", **who, seconds=seconds, transport=transport, picture=picture)
    if as_json:
        print_json(opened)
        return
    _tell_until(opened)
    for name in _ADDRESSES:
        if opened.get(name):
            click.echo(str(opened[name]))
    if not any(opened.get(name) for name in _ADDRESSES):
        tell(say("vigie: the node pushes its stream from now on"), err=True)


@command.command()
@click.argument("lease", metavar="LEASE")
@_seconds_option
@config_option
@json_option
def renew(config_path: Path, lease: str, seconds: int, *, as_json: bool) -> None:
    """Let a lease in force last so long from now on."""
    told = _ask(config_path, "lease-renew", lease=lease, seconds=seconds)
    if as_json:
        print_json(told)
    else:
        _tell_until(told)


@command.command()
@click.argument("lease", metavar="LEASE")
@config_option
@json_option
def close(config_path: Path, lease: str, *, as_json: bool) -> None:
    """End a lease and every look under it; nothing brings it back."""
    told = _ask(config_path, "lease-close", lease=lease)
    if as_json:
        print_json(told)
    else:
        tell(say("{lease} of {by} is over", lease=told["lease"], by=told["by"]))


@command.command(name="list")
@config_option
@json_option
def list_leases(config_path: Path, *, as_json: bool) -> None:
    """The leases in force, and how many look."""
    told = _ask(config_path, "lease-list")
    if as_json:
        print_json(told)
    elif told["leases"]:
        _show(told["leases"])
    else:
        tell(say("no lease is in force: nobody looks in"))


def _tell_until(told: Mapping[str, Any]) -> None:
    tell(say("{lease} is in force until {until}", lease=told["lease"], until=instant(told["until"])))


def _show(leases: list[Mapping[str, Any]]) -> None:
    from rich.table import Column, Table

    from agent.cli._tables import console

    names = (say("lease"), say("who"), say("station"), say("why"), say("way"), say("until"), say("viewers"))
    table = Table(*(Column(for_reader(name), overflow="fold") for name in names))
    for lease in leases:
        until = for_reader(say("renews itself") if lease["standing"] else instant(lease["until"]))
        table.add_row(
            lease["lease"], lease["by"], lease["station"], lease["why"], lease["transport"], until, str(lease["viewers"])
        )
    console(sys.stdout).print(table)


def _ask(config_path: Path, verb: str, **more: Any) -> dict[str, Any]:
    from agent.cli._node_files import NodeFiles
    from agent.operations.control_socket import ask

    return ask(NodeFiles.of(config_path).config.node.state_dir, verb, **more)
