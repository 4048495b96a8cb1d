"""Addresses and names that stand in the configuration as text: broker URLs, camera sources, time zones."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from urllib.parse import SplitResult, urlsplit

from agent.base.phrase import say
from agent.config.driver_kinds import DRIVERS, Driver
from agent.config.misfit import Misfit
from agent.config.url_secret import PLACEHOLDER, holds_password, secret_name

DEFAULT_BROKER_PORTS = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
"""The schemes Vigie speaks to a broker, and the port each means when the URL names none."""
_USUAL_PORTS = {**DEFAULT_BROKER_PORTS, "rtsp": 554, "rtsps": 322}
_TLS = ("mqtts", "wss")


def check_broker_url(url: str) -> str:
    """The URL itself, or Misfit with the remedy: a scheme Vigie speaks, a host, no secret inside."""
    parts = _split(url, "mqtts://host:8883")
    if parts.scheme not in DEFAULT_BROKER_PORTS or not parts.hostname:
        raise Misfit(
            say("this is no broker's address"),
            remedy=say("write mqtts://host:8883, or mqtt://host:1883 without TLS (ws:// and wss:// also serve)"),
            instead=_with_scheme("mqtts", url),
        )
    if parts.username:
        raise Misfit(
            say("a user does not belong in the URL"),
            remedy=say("write username = {username!r} beside it", username=parts.username),
        )
    if parts.scheme in ("mqtt", "mqtts") and (parts.path not in ("", "/") or parts.query):
        raise Misfit(
            say("a path has no meaning in {scheme}://", scheme=parts.scheme), remedy=say("name the topic prefix in `prefix`")
        )
    if parts.fragment:
        raise Misfit(say("a # has no meaning in a broker's address"), remedy=say("write mqtts://host:8883"))
    return url


def _with_scheme(scheme: str, address: str) -> str | None:
    """The host of an address without its scheme, or with one that Vigie does not speak; None where nothing looks like a host."""
    bare = address.rpartition("://")[2].strip()
    host = bare if scheme == "rtsp" else bare.partition("/")[0]
    tidy = re.fullmatch(r"[A-Za-z0-9][\w.-]*(:\d{1,5})?(/[\w./-]*)?", host)
    return whole_address(scheme, host) if tidy and not re.search(r":0*$", host) else None


def whole_address(scheme: str, host: str) -> str:
    """What stands behind `scheme` with all that it needs: the usual port, and for a camera a path, which its maker chooses."""
    name, slash, path = host.partition("/")
    named = name if ":" in name else f"{name}:{_USUAL_PORTS[scheme]}"
    return f"{scheme}://{named}" + (f"/{path}" if path else "/stream" if scheme == "rtsp" else slash)


def is_tls(url: str) -> bool:
    """True when the session to this broker is encrypted and the broker must prove its name."""
    return urlsplit(url).scheme in _TLS


def check_camera_source(driver: Driver, source: str) -> None:
    """Misfit, placed at `source` (at `driver` when there is none), when this driver cannot use this source."""
    at, beside, kind = ("source",), [("driver",)], DRIVERS[driver]
    _refuse_secret(source, at)
    if driver == "rtsp" or "://" in source:
        _refuse_password(source, at)
    if not source:
        if kind.source in ("address", "file"):
            wanted = 'source = "rtsp://user@host/path"' if driver == "rtsp" else 'source = "film.mp4"'
            raise Misfit(
                say("driver {driver!r} needs a source, and there is none", driver=driver),
                at=("driver",),
                beside=[at],
                remedy=say("add {wanted}", wanted=wanted),
            )
        return
    match driver:
        case "rtsp":
            parts = _split(source, "rtsp://user@host/path", at)
            if parts.scheme not in ("rtsp", "rtsps") or not parts.hostname:
                raise Misfit(
                    say("this is no RTSP address"),
                    at=at,
                    beside=beside,
                    remedy=say("write rtsp://user@host:554/path; the camera's own page names the path"),
                    instead=_with_scheme("rtsp", source),
                )
        case "v4l2":
            if not source.startswith("/"):
                raise Misfit(
                    say("this is no video device"),
                    at=at,
                    beside=beside,
                    remedy=say("write /dev/video0, or a lasting name from /dev/v4l/by-id/"),
                    instead="/dev/video0",
                )
        case "picamera2":
            if not source.isdecimal():
                raise Misfit(
                    say("this is no camera number"),
                    at=at,
                    beside=beside,
                    remedy=say('write "0" for the first camera, "1" for the second'),
                    instead="0",
                )
        case _ if kind.source == "file" and "://" in source:
            remedy = say('write the path of the film, or driver = "rtsp"')
            raise Misfit(say("this is an address and no film"), at=at, beside=beside, remedy=remedy)
        case _:
            pass


def _split(url: str, wanted: str, at: tuple[str, ...] = ()) -> SplitResult:
    """The parts of a URL without a password in it; Misfit else. The password itself is never repeated."""
    _refuse_password(url, at)
    _refuse_secret(url, at)
    # urllib's words repeat what it takes for the port, or the whole authority: neither is handed on.
    try:
        parts = urlsplit(url)
    except ValueError:
        why = say("compare it with the remedy")
        raise Misfit(say("this is no address: {why}", why=why), at=at, remedy=say("write {wanted}", wanted=wanted)) from None
    try:
        port = parts.port
    except ValueError:
        why = say("its port is no number from 1 to 65535")
        raise Misfit(say("this is no address: {why}", why=why), at=at, remedy=say("write {wanted}", wanted=wanted)) from None
    if port == 0:
        raise Misfit(say("port 0 cannot be reached"), at=at, remedy=say("write {wanted}", wanted=wanted))
    return parts


def _refuse_password(address: str, at: tuple[str, ...] = ()) -> None:
    """Misfit when a password stands before the host. It is never repeated."""
    if holds_password(address):
        raise Misfit(
            say("a password does not belong in this file"),
            at=at,
            remedy=say("put it alone in a file of its own (mode 0600) and name that file in `password_file`"),
        )


def _refuse_secret(address: str, at: tuple[str, ...] = ()) -> None:
    """Misfit when a secret stands behind a name in the address's path or query. The secret itself is never repeated."""
    if (name := secret_name(address)) is not None:
        raise Misfit(
            say("a secret stands in this address, behind `{name}=`", name=name),
            at=at,
            remedy=say(
                "write {name}={placeholder} there, and put the secret alone in a file (mode 0600) that `password_file` names",
                name=name,
                placeholder=PLACEHOLDER,
            ),
        )


def check_push_url(url: str) -> str:
    """The URL itself, or Misfit: where the node pushes its stream to. RTSPS, save to this very machine."""
    wanted = "rtsps://relay.example:8322/pole-17"
    if holds_password(url):
        raise Misfit(
            say("a password does not belong in this address"),
            remedy=say("write {wanted}: the node shows the relay its certificate", wanted=wanted),
        )
    parts = _split(url, wanted)
    if parts.scheme not in ("rtsp", "rtsps") or not parts.hostname:
        raise Misfit(
            say("this is no relay's address"), remedy=say("write {wanted}", wanted=wanted), instead=_with_scheme("rtsps", url)
        )
    if parts.scheme == "rtsp" and not _is_this_machine(parts.hostname):
        raise Misfit(
            say("rtsp:// would carry the picture in the clear to another machine"),
            remedy=say("write rtsps://"),
            instead=url.replace("rtsp://", "rtsps://", 1),
        )
    if parts.username:
        raise Misfit(say("a user does not belong in this address"), remedy=say("the node shows the relay its certificate"))
    return url


def _is_this_machine(host: str) -> bool:
    try:
        return is_loopback(host)
    except ValueError:  # a name
        return False


def check_listen_address(host: str) -> str:
    """The address itself, or Misfit: `localhost` or an IP address of this machine. An empty one would mean all of them."""
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise Misfit(
                say("{host!r} is no address to listen on", host=host),
                remedy=say('write "127.0.0.1", or an IP address of this node'),
                instead="127.0.0.1",
            ) from None
    return host


def is_loopback(host: str) -> bool:
    """True for an address that only this machine reaches."""
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


def check_time_zone(name: str) -> str:
    """The name itself, or Misfit with the nearest known ones. Believed as it stands where no zone database is installed."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        if known:
            import difflib  # for what is wrong alone

            near = difflib.get_close_matches(name, known, 1, 0.6)
            remedy = (
                say("did you mean {near!r}?", near=near[0])
                if near
                else say("write Europe/Paris, or another name from the tz database")
            )
            raise Misfit(
                say("{name!r} is no time zone", name=name), remedy=remedy, instead=near[0] if near else "Europe/Paris"
            ) from None
    return name
