"""The sections of who looks in: [live] and [onvif]."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from agent.config.address import check_listen_address, check_push_url
from agent.config.fields import Section, checked


class LiveAccount(Section, frozen=True, kw_only=True):
    """[[live.account]]: a lease that stands while the node runs, for the video management of the centre."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z", examples=["centre-vms"])]
    password_file: Annotated[Path, Meta(examples=[Path("/etc/vigie/vms-password")])]


class LiveSettings(Section, frozen=True, kw_only=True):
    """[live]: who looks in, under a lease."""

    enabled: bool = False
    host: Annotated[str, checked(check_listen_address)] = "127.0.0.1"
    rtsp_port: Annotated[int, Meta(ge=0, le=65535)] = 8554
    rtsps_port: Annotated[int, Meta(ge=0, le=65535)] = 8322
    page_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    udp: bool = False
    max_viewers: Annotated[int, Meta(ge=1, le=64)] = 8
    push_url: Annotated[str, checked(check_push_url)] | None = None
    low_kbps: Annotated[int, Meta(ge=32, le=2000)] = 150
    account: Annotated[tuple[LiveAccount, ...], Meta(max_length=16)] = ()


class OnvifSettings(Section, frozen=True, kw_only=True):
    """[onvif]: addresses, snapshots and events for clients that speak it, under a lease of [live]."""

    enabled: bool = False
    host: Annotated[str, checked(check_listen_address)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    discovery: bool = False
