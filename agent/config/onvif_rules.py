"""What [onvif] must be beside the rest of the configuration."""

from __future__ import annotations

from collections.abc import Iterator

from agent.base.phrase import say
from agent.config.misfit import Misfit
from agent.config.model import Config


def onvif_beside_others(config: Config) -> Iterator[Misfit]:
    """What [onvif] asks of the rest."""
    if not config.onvif.enabled:
        return
    yield from _leads_somewhere(config)
    yield from _port_is_free(config)
    if config.onvif.discovery and ":" in config.onvif.host and config.onvif.host != "::":
        yield Misfit(
            say("discovery speaks IPv4, and {host} is none", host=config.onvif.host),
            at=("onvif", "discovery"),
            beside=[("onvif", "host")],
            remedy=say('write discovery = false, or host = "::" for all addresses'),
            instead=False,
        )


def _leads_somewhere(config: Config) -> Iterator[Misfit]:
    live = config.live
    if not live.enabled:
        yield Misfit(
            say("[onvif] leads to the live stream, and asks for the password of a lease: without [live] there is neither"),
            at=("onvif", "enabled"),
            beside=[("live", "enabled")],
            remedy=say("write enabled = true in [live] as well, or false here"),
            instead=False,
        )
    elif not (live.rtsp_port or live.rtsps_port):
        yield Misfit(
            say("[onvif] leads to RTSP, and [live] offers none: rtsp_port and rtsps_port are 0"),
            at=("onvif", "enabled"),
            beside=[("live", "rtsp_port"), ("live", "rtsps_port")],
            remedy=say("give one of them a port: 8554 for RTSP, 8322 for RTSPS"),
            instead=False,
        )


def _port_is_free(config: Config) -> Iterator[Misfit]:
    taken = {("live", name): getattr(config.live, name) for name in ("rtsp_port", "rtsps_port", "page_port")}
    if config.console.enabled:
        taken["console", "port"] = config.console.port
    for (section, name), port in taken.items():
        if port and port == config.onvif.port:
            yield Misfit(
                say("port {port} is that of [{section}] {name} already", port=port, section=section, name=name),
                at=("onvif", "port"),
                beside=[(section, name)],
                remedy=say("write 8000, or another free port"),
                instead=8000 if port != 8000 else 8001,
            )
