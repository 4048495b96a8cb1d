"""May a deployment begin, and until when may it last? What stands against it is one clear line, and the unit stays closed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from agent.base.clock import NS, ClockQuality, rfc3339, utc
from agent.base.errors import DeploymentError
from agent.base.phrase import day, moment, say
from agent.config.model import Config
from agent.config.nomadic import Perimeter
from agent.nomad.deployment import Basis, Deployment
from agent.nomad.perimeter import metres_outside
from agent.recording.places import FilmPlace

LONGEST: Final = {Basis.EVENT: timedelta(days=123), Basis.URGENCY: timedelta(days=123)}
"""Four months (CSI L252-7, L223-4)."""
LONGEST_RETENTION_DAYS: Final = 30.0


class Wanted(Struct, frozen=True, kw_only=True):
    """What whoever puts the unit up says. Times are Unix nanoseconds; empty and None: as the perimeter and the node have it."""

    perimeter: str
    from_ns: int
    until_ns: int
    informed_on: date
    contact: str
    panel: str
    place: str
    by: str
    authorisation: str = ""
    basis: str = ""
    retention_days: float | None = None
    position: tuple[float, float] | None = None


def planned(config: Config, wanted: Wanted, wall_ns: int, quality: ClockQuality) -> Deployment:
    """The deployment as it would begin now, not numbered yet. DeploymentError says what is against it, and what helps."""
    if config.node.role != "nomadic":
        raise DeploymentError(say("this node is fixed"), remedy=say('write role = "nomadic" under [node], and restart it'))
    if quality is ClockQuality.UNSET:
        raise DeploymentError(
            say("the clock is not set: nobody can tell whether an authorisation is in force"),
            remedy=say("wait for the time server, or set it with `timedatectl set-time`"),
        )
    perimeter = _perimeter(config, wanted.perimeter)
    deployment = Deployment(
        number=1,
        id=f"{config.node.id}-{{number:04}}",
        authorisation=wanted.authorisation or perimeter.authorisation,
        basis=Basis(wanted.basis or perimeter.basis),
        perimeter=perimeter.name,
        polygon=perimeter.polygon,
        from_ns=wanted.from_ns,
        until_ns=wanted.until_ns,
        retention_days=min(wanted.retention_days or LONGEST_RETENTION_DAYS, config.recording.retention_days),
        informed_on=wanted.informed_on.isoformat(),
        contact=wanted.contact,
        panel=wanted.panel,
        place=wanted.place,
        latitude=wanted.position[0] if wanted.position else None,
        longitude=wanted.position[1] if wanted.position else None,
        by=wanted.by,
        begun_ns=wall_ns,
        boot="",
    )
    check_period(config, deployment, wall_ns)
    _check_informed(wanted, _today(config, wall_ns))
    _check_place(deployment)
    if not config.privacy.mask and config.privacy.none_needed is None:
        raise DeploymentError(
            say("no mask is configured, and no statement says that none is needed"),
            remedy=say("draw [[privacy.mask]] for this place, or sign [privacy.none_needed], then this again"),
        )
    return deployment


def check_period(config: Config, deployment: Deployment, wall_ns: int) -> None:
    """DeploymentError when it may not last from then until then."""
    perimeter = _perimeter(config, deployment.perimeter)
    last = perimeter.until
    if last < _today(config, wall_ns):
        raise DeploymentError(
            say("the authorisation of the perimeter {name} ended on {last}", name=perimeter.name, last=day(last)),
            remedy=say("ask the prefecture for another, and write its number and its last day under [[nomad.perimeter]]"),
        )
    if deployment.until_ns <= deployment.from_ns:
        raise DeploymentError(
            say("the deployment would end before it begins"),
            remedy=say("give an end behind {begins}", begins=moment(deployment.from_ns)),
        )
    if deployment.until_ns <= wall_ns:
        raise DeploymentError(
            say("the deployment would have ended at {ends}", ends=moment(deployment.until_ns)),
            remedy=say("give an end that is to come"),
        )
    authorised_ns = _end_of(last, config)
    if deployment.until_ns > authorised_ns:
        raise DeploymentError(
            say("the perimeter {name} is authorised until {ends} only", name=perimeter.name, ends=moment(authorised_ns)),
            remedy=say("give --until {ends} at the latest", ends=rfc3339(authorised_ns)),
        )
    longest = LONGEST.get(deployment.basis)
    if longest is not None and utc(deployment.until_ns) - utc(deployment.from_ns) > longest:
        raise DeploymentError(
            say("by this procedure ({basis}) nobody films for more than four months", basis=deployment.basis.value),
            remedy=say("give an earlier --until, or have the place authorised"),
        )


def film_place(deployment: Deployment) -> FilmPlace:
    """As the films of it will name it."""
    return FilmPlace(
        name=deployment.id,
        site=deployment.place,
        latitude=deployment.latitude,
        longitude=deployment.longitude,
        deployment=deployment.id,
        authorisation=deployment.authorisation,
        basis=deployment.basis.value,
        perimeter=deployment.perimeter,
        retention_days=deployment.retention_days,
        since_ns=deployment.begun_ns,
    )


def last_film_ns(deployment: Deployment, retention_days: float) -> int:
    """When the last film of one that has ended is past its day."""
    return deployment.ended_ns + round(min(deployment.retention_days, retention_days) * 86_400 * NS)


def _perimeter(config: Config, name: str) -> Perimeter:
    for perimeter in config.nomad.perimeter:
        if perimeter.name.casefold() == name.casefold():
            return perimeter
    names = ", ".join(each.name for each in config.nomad.perimeter)
    if not names:
        raise DeploymentError(
            say("no perimeter is configured"), remedy=say("write what the prefecture authorised under [[nomad.perimeter]]")
        )
    raise DeploymentError(say("there is no perimeter {name!r}", name=name), remedy=say("there are: {names}", names=names))


def _check_informed(wanted: Wanted, today: date) -> None:
    if wanted.informed_on > today:
        raise DeploymentError(
            say("the prefecture would be informed on {on}, which is to come", on=day(wanted.informed_on)),
            remedy=say("inform it first: --informed-on is the day on which that was done"),
        )


def _check_place(deployment: Deployment) -> None:
    if deployment.latitude is None or deployment.longitude is None:
        return
    metres = metres_outside(deployment.polygon, deployment.latitude, deployment.longitude)
    if metres > 0:
        raise DeploymentError(
            say("the place lies {metres:.0f} m outside of the perimeter {name}", metres=metres, name=deployment.perimeter),
            remedy=say("put the unit up inside of it, or name the perimeter that it stands in"),
        )


def _zone(config: Config) -> ZoneInfo:
    return ZoneInfo(config.encoding.time_zone)


def _today(config: Config, wall_ns: int) -> date:
    return utc(wall_ns).astimezone(_zone(config)).date()


def _end_of(last: date, config: Config) -> int:
    """The midnight behind this day, where the camera stands."""
    at = datetime.combine(last + timedelta(days=1), time(), _zone(config)).astimezone(UTC)
    return int(at.timestamp()) * NS
