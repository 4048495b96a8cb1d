"""A unit that is moved: what it is authorised for, how far its deployment has come, and what its sensors tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from agent.base.clock import NS, rfc3339
from agent.base.errors import DeploymentError, told_apart
from agent.base.phrase import day, many, say
from agent.commissioning.identity import SOON_DAYS
from agent.commissioning.line import Line, fail, left_open, ok, warn
from agent.config.model import Config
from agent.config.nomadic import Nomad, Perimeter
from agent.nomad.judgement import STOWED
from agent.nomad.store import DeploymentStore

_STOPPED: Final = say("waits for the daemon, which judges it")
_SHOW: Final = say("`vigie deploy show` says what it waits for")
_PUT_UP: Final = say("`sudo vigie masks validate --by NAME`, then `sudo vigie deploy commission --by NAME`")
_SIM: Final = say("put a SIM card in, or unlock it: `mmcli -m any` shows how it stands")
_BATTERY: Final = say("charge it, or change it: `vigie status -v` shows the hours left")


def judge_deployment(config: Config, health: Mapping[str, Any] | None, today: date) -> Iterator[Line]:
    """What must be right before the technician leaves. `health` is the daemon's; None while it does not run."""
    yield from _authorisations(config.nomad.perimeter, today)
    told = (health or {}).get("nomad")
    if told is None:
        yield _recorded(config)
        return
    yield _deployment(told)
    yield from _sensors(config.nomad, told)


def _authorisations(places: Sequence[Perimeter], today: date) -> Iterator[Line]:
    """Each that has ended or ends soon; one line for all that hold."""
    if not places:
        yield fail(
            "authorisation",
            say("no place is authorised, so nothing can be begun"),
            say("draw each place that the authorisation names as a [[nomad.perimeter]]"),
        )
    renew = say("have it renewed, then set `until` of that [[nomad.perimeter]]")
    ended_all = fail if all(place.until < today for place in places) else warn
    held: list[date] = []
    for place in places:
        named = {"name": place.name, "number": place.authorisation, "day": day(place.until)}
        left = (place.until - today).days
        if left < 0:
            yield ended_all("authorisation", say("{name}: authorisation {number} ended on {day}", **named), renew, days_left=left)
        elif left < SOON_DAYS:
            yield warn("authorisation", say("{name}: authorisation {number} ends on {day}", **named), renew, days_left=left)
        else:
            held.append(place.until)
    if held:
        until = day(min(held))
        yield ok(
            "authorisation", many("1 place, until {until}", "{number} places, the first until {until}", len(held), until=until)
        )


def _recorded(config: Config) -> Line:
    """By the disk alone: it tells of a deployment, and judges none."""
    try:
        present = DeploymentStore(config.node.state_dir).current()
    except DeploymentError as error:
        what, remedy = error.said
        return fail("deployment", what, remedy or _SHOW)
    if present is None:
        return left_open("deployment", STOWED)
    if present.is_over:
        return left_open("deployment", say("{deployment} is over: {why}", deployment=present.id, why=present.ended_why))
    until = rfc3339(present.until_ns // NS * NS)
    return left_open("deployment", say("{deployment} until {until}: {waits}", deployment=present.id, until=until, waits=_STOPPED))


def _deployment(told: Mapping[str, Any]) -> Line:
    stage, name, why = told.get("stage"), told.get("deployment", ""), told.get("why", "")
    if stage in (None, "stowed", "withdrawn"):
        return left_open("deployment", why or STOWED)
    if told.get("light") == "open":
        return ok("deployment", say("{deployment} until {until}: the picture is open", deployment=name, until=told.get("until")))
    covered = say("{deployment}: the picture is closed: {why}", deployment=name, why=why)
    return warn("deployment", covered, _PUT_UP if stage == "placed" else _SHOW)


def _sensors(settings: Nomad, told: Mapping[str, Any]) -> Iterator[Line]:
    place, link, power = (told.get(name) or {} for name in ("position", "link", "power"))
    if settings.gps != "off":
        yield _position(place)
    if settings.tilt != "off" and place.get("tilted"):
        yield fail("tilt", place["tilted"], _PUT_UP)
    if settings.modem != "off":
        yield _modem(link)
    if settings.battery != "off":
        yield _battery(settings, power)


def _position(told: Mapping[str, Any]) -> Line:
    if told.get("moved"):
        return fail("position", told["moved"], _SHOW)
    if told.get("latitude") is not None and not told.get("fault"):
        at = {"latitude": told["latitude"], "longitude": told["longitude"]}
        return ok("position", say("{latitude}, {longitude}", **at), **at)
    what, remedy = told_apart(told.get("fault", ""))
    sky = say("give its aerial a free sky and some minutes: `gpspipe -w` shows what it hears")
    return warn("position", what if remedy else say("the receiver does not know where it is"), remedy or sky)


def _modem(told: Mapping[str, Any]) -> Line:
    fault, sim, state = told.get("fault", ""), told.get("sim", "unknown"), told.get("state", "unknown")
    if fault:
        what, remedy = told_apart(fault)
        return warn("modem", what, remedy or say("`mmcli -L` lists the modems that are there"))
    if sim == "missing":
        return fail("modem", say("no SIM card is in it"), _SIM)
    if sim == "locked":
        return fail("modem", say("its SIM card is locked"), _SIM)
    if state != "connected":
        unconnected = say("it carries no data: {state}", state=state)
        return warn("modem", unconnected, say("`mmcli -m any` shows signal and network: move its aerial"), state=state)
    percent = told.get("signal_percent")
    heard = "" if percent is None else say(", signal {percent} %", percent=percent)
    return ok("modem", say("{technology} of {operator}{heard}", heard=heard, **_named(told)), signal_percent=percent)


def _named(told: Mapping[str, Any]) -> dict[str, str]:
    return {"technology": told.get("technology") or "?", "operator": told.get("operator") or "?"}


def _battery(settings: Nomad, told: Mapping[str, Any]) -> Line:
    percent = told.get("percent")
    if told.get("fault"):
        what, remedy = told_apart(told["fault"])
        return warn("battery", what, remedy or _BATTERY)
    if percent is None:
        return left_open("battery", say("its gauge tells no charge"))
    charge = say("{percent} % charged", percent=round(percent))
    if told.get("mains") or percent >= settings.low_percent:
        return ok("battery", charge, percent=percent)
    return warn("battery", charge, _BATTERY, percent=percent)
