"""`vigie deploy`: where, by which authorisation and until when a unit that is moved may look."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.base.clock import rfc3339
from agent.base.phrase import moment, say
from agent.cli._instant import Instant
from agent.cli._manners import Group
from agent.cli._numbers import Measure
from agent.cli._options import EntryText, config_option, json_option, print_json
from agent.cli._place import PlaceOnEarth
from agent.cli._speech import tell
from agent.ports.health_words import word

if TYPE_CHECKING:
    from agent.cli._deployments import Deployments
    from agent.nomad.deployment import Deployment

_day = click.DateTime(formats=["%Y-%m-%d"])
_by_option = click.option("--by", type=EntryText(), required=True, help="who does it, and answers for it")


def _deployments(config_path: Path) -> Deployments:
    from agent.cli._deployments import Deployments

    return Deployments.of(config_path)


@click.group(cls=Group)
def command() -> None:
    """The deployments of a unit that is moved: its camera is closed outside of the place and the time that were authorised."""


@command.command()
@click.option("--perimeter", type=EntryText(), required=True, help="which [[nomad.perimeter]] it stands in")
@click.option("--place", type=EntryText(), required=True, help="where in it, in words: the post, the corner")
@click.option(
    "--at", "position", type=PlaceOnEarth(), metavar="LAT,LON", help="the same in degrees; default: the unit's receiver"
)
@click.option("--from", "from_ns", type=Instant(), help="when the period begins; default: now")
@click.option("--until", "until_ns", type=Instant(), required=True, help="when it ends: the camera closes by itself")
@click.option("--informed-on", type=_day, required=True, help="the day on which the prefecture was told, YYYY-MM-DD")
@click.option("--contact", type=EntryText(), required=True, help="whom people may ask about the pictures")
@click.option("--panel", type=EntryText(), required=True, help="where the information panel hangs")
@click.option("--authorisation", type=EntryText(3), help="its number; default: the perimeter's")
@click.option("--basis", type=click.Choice(["permanent", "event", "urgency"]), help="on which ground; default: the perimeter's")
@click.option("--retention-days", type=Measure(1, 30), help="films of it are destroyed no later; default: as configured")
@_by_option
@config_option
@json_option
def begin(config_path: Path, *, from_ns: int | None, informed_on: datetime, as_json: bool, **more: Any) -> None:
    """The unit is put up: its camera runs, covered whole until its masks are validated and it is commissioned."""
    deployments = _deployments(config_path)
    begun = deployments.begin(from_ns=from_ns, informed_on=informed_on.date(), **more)
    deployments.wait_until_seen(begun)
    if as_json:
        _print(begun)
        return
    tell(say("{id} has begun at {place}, until {until}", id=begun.id, place=begun.place, until=moment(begun.until_ns)))
    tell(say("now `vigie masks validate --by NAME`, then `vigie deploy commission --by NAME`"))


@command.command()
@_by_option
@click.option("--again", is_flag=True, help="it had been closed: you stand before it, and the camera may run again, covered")
@config_option
@json_option
def commission(config_path: Path, by: str, *, again: bool, as_json: bool) -> None:
    """The masks fit and the view is validated, in this deployment: the picture may open within its period."""
    deployments = _deployments(config_path)
    if again:
        placed = deployments.acts.place_again(by)
        if as_json:
            _print(placed)
            return
        tell(say("{id}: the camera runs again, covered", id=placed.id))
        tell(say("now `vigie masks validate --by NAME`, then `vigie deploy commission --by NAME`"))
        return
    done = deployments.commission(by)
    if as_json:
        _print(done)
    else:
        tell(say("{id} is commissioned by {by}; it is open until {until}", id=done.id, by=by, until=moment(done.until_ns)))


@command.command()
@config_option
@json_option
def show(config_path: Path, *, as_json: bool) -> None:
    """The deployment under way, and what may leave the camera now."""
    told = _deployments(config_path).shown()
    if as_json:
        print_json(told)
        return
    tell(say("stage: {stage}", stage=word(told["stage"])))
    if told["deployment"]:
        tell(say("deployment: {deployment}, authorisation {authorisation}", **_only(told, "deployment", "authorisation")))
        tell(say("until: {until}", until=told["until"]))
    tell(say("camera: {light}", light=word(told["light"])))
    if told["why"]:
        tell(say("because: {why}", why=told["why"]))


@command.command()
@click.option("--until", "until_ns", type=Instant(), required=True, help="the new end, later or earlier")
@click.option("--informed-on", type=_day, help="the day on which the prefecture was told of it, YYYY-MM-DD")
@click.option("--authorisation", type=EntryText(3), help="the number of the new authorisation, where there is one")
@_by_option
@config_option
@json_option
def extend(
    config_path: Path, until_ns: int, informed_on: datetime | None, authorisation: str | None, by: str, *, as_json: bool
) -> None:
    """Another end, within the authorisation of the perimeter."""
    told_on = informed_on.date() if informed_on else None
    extended = _deployments(config_path).extend(by, until_ns, told_on, authorisation or "")
    if as_json:
        _print(extended)
    else:
        tell(say("{id} lasts until {until}", id=extended.id, until=moment(extended.until_ns)))


@command.command()
@_by_option
@click.option("--why", type=EntryText(), help="why now; default: it is taken down")
@config_option
@json_option
def end(config_path: Path, by: str, why: str | None, *, as_json: bool) -> None:
    """The camera closes, for good; says when the last film of it is destroyed."""
    from agent.nomad.plan import last_film_ns

    deployments = _deployments(config_path)
    over = deployments.acts.end(by, why or say("it is taken down"))
    is_dark = deployments.wait_until_dark()
    last_ns = last_film_ns(over, deployments.node.config.recording.retention_days)
    if as_json:
        print_json({**_fields(over), "last_film": rfc3339(last_ns)})
        return
    if is_dark:
        tell(say("{id} is over, and the camera is closed", id=over.id))
    else:
        tell(say("{id} is over; the daemon has not closed the camera yet: `vigie deploy show`", id=over.id))
    tell(say("the last of its films is destroyed on {last}: a unit without power destroys nothing", last=moment(last_ns)))


@command.command(name="list")
@config_option
@json_option
def list_deployments(config_path: Path, *, as_json: bool) -> None:
    """Every deployment of this unit, the newest last."""
    found, faults = _deployments(config_path).store.all()
    if as_json:
        print_json({"deployments": [_fields(each) for each in found], "damaged": faults})
        return
    if not found and not faults:
        tell(say("there never was a deployment"))
    for each in found:
        period = say("{begins} to {ends}", begins=moment(each.from_ns), ends=moment(each.ended_ns or each.until_ns))
        tell(say("{id} {stage}: {place}, {period}", id=each.id, stage=word(each.stage.value), place=each.place, period=period))
    for fault in faults:
        tell(fault, err=True)


@command.command()
@click.argument("deployment", required=False, metavar="[DEPLOYMENT]")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE.html", help="the sheet to write"
)
@config_option
def sheet(config_path: Path, deployment: str | None, out: Path) -> None:
    """One French page on a deployment, for the prefecture and the file; of the one under way, if none is named."""
    from agent.base.output_file import Output

    deployments = _deployments(config_path)
    output = Output(out, b"<!DOCTYPE html>")
    output.write(deployments.sheet(deployment or "").encode(), mode=0o640)
    tell(say("{out}: the sheet of the deployment", out=out))


def _print(deployment: Deployment) -> None:
    print_json(_fields(deployment))


def _fields(deployment: Deployment) -> dict[str, object]:
    return {
        **deployment.facts(),
        "stage": deployment.stage.value,
        "by": deployment.by,
        "commissioned_by": deployment.commissioned_by or None,
        "ended": rfc3339(deployment.ended_ns) if deployment.ended_ns else None,
        "ended_by": deployment.ended_by or None,
        "why": deployment.ended_why or deployment.shut or deployment.covered,
    }


def _only(told: dict[str, Any], *names: str) -> dict[str, object]:
    return {name: told[name] for name in names}
