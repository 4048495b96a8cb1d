"""The one table of what opens and closes the picture (docs/nomad.md). It judges; it keeps nothing and knows no clock."""

from __future__ import annotations

from msgspec import Struct

from agent.base.clock import rfc3339
from agent.base.phrase import say
from agent.nomad.deployment import Deployment, Stage
from agent.stream.shutter import Light

STOWED = say("no deployment has been begun: see `vigie deploy begin`")
CLOCK_UNSET = say("the clock is not set, so nobody can tell whether the authorisation is in force")
NOT_COMMISSIONED = say("the masks are not validated for this deployment: `vigie masks validate`, then `vigie deploy commission`")
OTHER_VIEW = say("the view is not the one this deployment was commissioned with: `vigie deploy commission`")


class KnownTime(Struct, frozen=True):
    """What is known of the time. `wall_ns` is the clock's; `latest_ns` is what it cannot be before, by all that was seen.

    `known`: a time server, a battery-backed clock or a person vouched for it in this boot.
    """

    wall_ns: int
    latest_ns: int
    known: bool
    synchronised: bool = False
    """Of those, a time server, now."""

    @property
    def past_ns(self) -> int:
        """For what ends: the later of the two."""
        return max(self.wall_ns, self.latest_ns)


class Ruling(Struct, frozen=True):
    """How much of the scene may leave the camera, and, unless it is open, why no more."""

    light: Light
    why: str = ""


def judge(deployment: Deployment | None, now: KnownTime, view: str) -> Ruling:
    """What the table says. `view` proves the view that is in force now; empty when none is."""
    if deployment is None:
        return Ruling(Light.DARK, STOWED)
    if deployment.is_over:
        return Ruling(Light.DARK, say("{deployment} is over: {why}", deployment=deployment.id, why=deployment.ended_why))
    if deployment.shut:
        return Ruling(Light.DARK, deployment.shut)
    if not now.known:
        return Ruling(Light.DARK, CLOCK_UNSET)
    if now.wall_ns < deployment.from_ns:
        return Ruling(Light.DARK, say("the period begins at {begins}", begins=rfc3339(deployment.from_ns)))
    if now.past_ns >= deployment.until_ns:
        return Ruling(Light.DARK, period_over(deployment))
    if deployment.stage is Stage.PLACED:
        return Ruling(Light.OPAQUE, deployment.covered or NOT_COMMISSIONED)
    if deployment.stage is not Stage.DEPLOYED:
        return Ruling(Light.OPAQUE, say("it is commissioned, and opens once the register has it"))
    if not deployment.view or view != deployment.view:
        return Ruling(Light.OPAQUE, OTHER_VIEW)
    return Ruling(Light.OPEN)


def period_over(deployment: Deployment) -> str:
    """In words."""
    return say("the period ended at {ends}", ends=rfc3339(deployment.until_ns))


def is_due(deployment: Deployment, now: KnownTime) -> bool:
    """Whether a commissioned one may be deployed now."""
    in_period = deployment.from_ns <= now.wall_ns and now.past_ns < deployment.until_ns
    return deployment.stage is Stage.COMMISSIONED and now.known and in_period and not deployment.shut


def has_ended(deployment: Deployment, now: KnownTime) -> bool:
    """Whether its period is over, by a clock that is known."""
    return not deployment.is_over and now.known and now.past_ns >= deployment.until_ns
