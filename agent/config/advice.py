"""What is allowed and still deserves a second look; no note ever stops the daemon."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from agent.base.phrase import say
from agent.config.address import is_loopback, is_tls
from agent.config.driver_kinds import DRIVERS
from agent.config.model import Config
from agent.config.sources import Sources
from agent.config.url_secret import PLACEHOLDER, unnamed_secret

LEAST_BITS_PER_PIXEL = 0.01
"""Below this an H.264 picture of a street is mush: 1080p at 25 per second wants more than about 500 kbit/s."""


def advice(config: Config, sources: Sources) -> list[str]:
    """One sentence each, most important first; empty when there is nothing to say."""
    return [
        *_as_shipped(config),
        *_privacy(config),
        *_replaced(sources),
        *_console(config),
        *_live(config),
        *_onvif(config),
        *_picture(config),
        *_broker(config),
        *_files(config),
    ]


SHIPPED_ID, SHIPPED_HOST = "pole-17", "hub.example"
"""What config.example.toml shows, and no node of a town has: a test holds them against the file."""
SHIPPED_POLYGON = ((0.12, 0.08), (0.31, 0.08), (0.31, 0.27), (0.12, 0.27))


def _as_shipped(config: Config) -> list[str]:
    """A template that nobody filled in passes every other check."""
    notes: list[str] = []
    if config.node.id == SHIPPED_ID:
        notes.append(
            say(
                'node.id is still "{shipped_id}", as shipped: write the name of this pole, for life, before its key is made',
                shipped_id=SHIPPED_ID,
            )
        )
    if not config.node.site.strip():
        notes.append(
            say('node.site is empty: write where the node hangs, as site = "place du marché"; sheets and exports show it')
        )
    for mask in config.privacy.mask:
        if mask.polygon != SHIPPED_POLYGON:
            continue
        notes.append(
            say(
                'privacy.mask "{name}" still has the corners it was shipped with: draw the one of this '
                "view, by the grid of `vigie masks show`",
                name=mask.name,
            )
        )
    urls = () if config.mqtt is None else (config.mqtt.url, *config.mqtt.fallback_urls)
    if any(urlsplit(url).hostname == SHIPPED_HOST for url in urls):
        notes.append(
            say(
                "mqtt.url is still that of {shipped_host}, as shipped: write the address of the town's broker",
                shipped_host=SHIPPED_HOST,
            )
        )
    return notes


def _replaced(sources: Sources) -> list[str]:
    """Masks, or overlays, of two files do not add up: whoever wrote the earlier ones should know."""
    notes: list[str] = []
    for kind in ("mask", "overlay"):
        *beaten, winner = sources.holders.get(("privacy", kind), ()) or (None,)
        notes += [
            say(
                "privacy.{kind} of {path} is replaced by that of {winner}: those of two files do not add up",
                kind=kind,
                path=document.path,
                winner=winner.path,
            )
            for document in beaten
            if document is not None and winner is not None
        ]
    return notes


def _privacy(config: Config) -> list[str]:
    if not config.privacy.mask and not config.privacy.none_needed:
        return [say("no mask and no statement that none is needed: every picture will be opaque; draw [[privacy.mask]]")]
    return []


def _console(config: Config) -> list[str]:
    page = config.console
    if page.enabled and not is_loopback(page.host):
        return [
            say(
                "console.host {host} shows the masked live picture to whoever reaches that address, without a "
                "password; 127.0.0.1 and `ssh -L` show it to whoever may log in",
                host=page.host,
            )
        ]
    return []


def _live(config: Config) -> list[str]:
    live = config.live
    if not live.enabled:
        return []
    notes = []
    if live.rtsp_port and not is_loopback(live.host):
        notes.append(
            f"live.rtsp_port {live.rtsp_port} on {live.host} carries the masked picture in the clear: whoever sits on the way "
            "may read along; rtsp_port = 0 leaves RTSPS alone"
        )
    if live.udp and not live.rtsp_port:
        notes.append("live.udp has no use: RTSPS is carried over TCP alone, and rtsp_port is 0")
    if not (live.rtsp_port or live.rtsps_port or live.page_port or live.push_url):
        notes.append("live is enabled and offers no way to look: every port is 0 and there is no push_url")
    return notes


def _onvif(config: Config) -> list[str]:
    onvif, live = config.onvif, config.live
    if not onvif.enabled or is_loopback(onvif.host):
        return []
    notes: list[str] = []
    what = say("events and snapshots") if live.rtsp_port else say("events")
    notes.append(
        say(
            "onvif.host {host} lets {what} out by HTTP in the clear, to whoever holds a lease: whoever sits on the way may "
            "read along",
            host=onvif.host,
            what=what,
        )
    )
    if is_loopback(live.host):
        notes.append(
            say(
                "onvif.host {host} names a stream that nobody reaches from there: live.host is {live_host}. Give both the "
                "same address",
                host=onvif.host,
                live_host=live.host,
            )
        )
    return notes


def _picture(config: Config) -> list[str]:
    notes: list[str] = []
    camera, encoding = config.camera, config.encoding
    if encoding.bitrate_kbps is not None:
        bits_per_pixel = encoding.bitrate_kbps * 1000 / (camera.width * camera.height * camera.fps)
        if bits_per_pixel < LEAST_BITS_PER_PIXEL:
            wanted = LEAST_BITS_PER_PIXEL * camera.width * camera.height * camera.fps / 1000
            notes.append(
                say(
                    "encoding.bitrate_kbps {bitrate_kbps} is little for {width}x{height} at {fps:g} per second; "
                    "{wanted:.0f} or more keeps the picture legible",
                    bitrate_kbps=encoding.bitrate_kbps,
                    width=camera.width,
                    height=camera.height,
                    fps=camera.fps,
                    wanted=wanted,
                )
            )
    if unnamed_secret(camera.source):
        notes.append(
            say(
                "camera.source: a part of this address looks like a secret. Write {placeholder} in its place, "
                "and put it alone in a file (mode 0600) that password_file names",
                placeholder=PLACEHOLDER,
            )
        )
    if DRIVERS[camera.driver].source == "none" and camera.source:
        notes.append(say("camera.source has no meaning for this driver"))
    return notes


def _broker(config: Config) -> list[str]:
    mqtt = config.mqtt
    if mqtt is None:
        return [say("no [mqtt]: the node records, and nobody at the centre hears of it")]
    host = urlsplit(mqtt.url).hostname or ""
    if not is_tls(mqtt.url) and host not in ("localhost", "::1") and not host.startswith("127."):
        return [say("mqtt.url is not encrypted: write mqtts:// before this node leaves the workshop")]
    return []


def _files(config: Config) -> list[str]:
    named: list[tuple[str, Path | None]] = [
        ("camera.password_file", config.camera.password_file),
        ("camera.ca_file", config.camera.ca_file),
    ]
    if config.mqtt is not None:
        names = ("password_file", "ca_file", "cert_file", "key_file", "command_key_file")
        named += [(f"mqtt.{name}", getattr(config.mqtt, name)) for name in names]
    named += [(f"live.account {account.name!r} password_file", account.password_file) for account in config.live.account]
    if DRIVERS[config.camera.driver].source == "file" and "://" not in config.camera.source:
        named.append(("camera.source", Path(config.camera.source)))
    return [
        say("{name}: there is no file {path} yet", name=name, path=path)
        for name, path in named
        if path is not None and _is_missing(path)
    ]


def _is_missing(path: Path) -> bool:
    try:
        return not path.exists()
    except OSError:
        return False
