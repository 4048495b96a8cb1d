"""What [live] must be, in itself and beside the rest of the configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent.base.phrase import say
from agent.config.looking_in import LiveSettings
from agent.config.misfit import Misfit
from agent.config.model import Config

LONGEST_LIVE_GOP_S: Final = 5.0


def live_misfits(live: LiveSettings) -> Iterator[Misfit]:
    """Within the section."""
    yield from _accounts_differ(live)
    yield from _ports_differ(live)


def _accounts_differ(live: LiveSettings) -> Iterator[Misfit]:
    seen: dict[str, int] = {}
    for index, account in enumerate(live.account):
        first = seen.setdefault(account.name, index)
        if first != index:
            yield Misfit(
                say("two accounts are called {name!r}", name=account.name),
                at=("account", index, "name"),
                beside=[("account", first, "name")],
                remedy=say("give each its own name"),
                instead=f"{account.name[:60]}-{index + 1}",
            )


def _ports_differ(live: LiveSettings) -> Iterator[Misfit]:
    usual = {"rtsp_port": 8554, "rtsps_port": 8322, "page_port": 8443}
    taken: dict[int, str] = {}
    for name, free in usual.items():
        port = getattr(live, name)
        other = taken.setdefault(port, name) if port else name
        if other != name:
            yield Misfit(
                say("{other} and {name} cannot share port {port}", other=other, name=name, port=port),
                at=(name,),
                beside=[(other,)],
                remedy=say("write {free}, or another free port", free=free),
                instead=free if free not in taken else free + 1,
            )


def live_beside_others(config: Config) -> Iterator[Misfit]:
    """What [live] asks of the rest."""
    keyframe_s = config.encoding.keyframe_seconds
    if config.live.enabled and keyframe_s > LONGEST_LIVE_GOP_S:
        yield Misfit(
            say(
                "{keyframe_s:g} s between keyframes are too many beside [live]: signatures would ride on other "
                "frames as well, where some relays lose them. A verifier would accuse an honest node",
                keyframe_s=keyframe_s,
            ),
            at=("encoding", "keyframe_seconds"),
            beside=[("live", "enabled")],
            remedy=say("write at most {most}, or switch [live] off", most=f"{LONGEST_LIVE_GOP_S:g}"),
            instead=2.0,
        )
