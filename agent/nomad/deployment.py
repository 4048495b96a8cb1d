"""One deployment of a unit that is moved: by which authorisation, where, from when until when, and how far it has come."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from agent.base.clock import rfc3339
from agent.journal.entry import Act, Fact

Corner = tuple[float, float]
"""Latitude and longitude, WGS 84, in degrees."""
STATEMENT: Final = "statement:"
"""How the proof of a view begins that needs no mask, by a signed statement."""
MOST_VIEWS: Final = 64
"""So many views are remembered as taken away in one deployment."""


class Stage(StrEnum):
    """How far it has come; the values are those of health's `nomad.stage`."""

    STOWED = "stowed"
    """No deployment has been begun yet."""
    PLACED = "placed"
    COMMISSIONED = "commissioned"
    DEPLOYED = "deployed"
    WITHDRAWN = "withdrawn"


class Basis(StrEnum):
    """On which ground of the Code de la sécurité intérieure it films."""

    PERMANENT = "permanent"
    """L252-1 and L252-4: five years at most."""
    EVENT = "event"
    """L252-7: ends with the gathering, four months at most."""
    URGENCY = "urgency"
    """L223-4: four months at most."""


class Owed(Struct, frozen=True, forbid_unknown_fields=True):
    """A closing that took effect and is not in the register yet."""

    act: str
    by: str
    at_ns: int
    why: str


class Deployment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As it is kept on disk. Times are Unix nanoseconds; changed only by the functions below."""

    format: Literal[1] = 1
    number: Annotated[int, Meta(ge=1)]
    id: str
    authorisation: str
    basis: Basis
    perimeter: str
    polygon: tuple[Corner, ...]
    """The perimeter as the configuration had it when the deployment began: a later edit widens nothing."""
    from_ns: int
    until_ns: int
    retention_days: float
    informed_on: str
    """The day the prefecture was told, YYYY-MM-DD."""
    contact: str
    panel: str
    place: str
    latitude: float | None = None
    longitude: float | None = None
    by: str
    begun_ns: int
    boot: str
    """The boot in which somebody, or a time server, vouched for the clock."""
    stage: Stage = Stage.PLACED
    view: str = ""
    """What proves the view it was commissioned with; empty unless it is commissioned."""
    masks: int = 0
    spent: tuple[str, ...] = ()
    """Views that a closing took away; those of other deployments are in the store's own list."""
    commissioned_by: str = ""
    commissioned_ns: int = 0
    deployed_ns: int = 0
    covered: str = ""
    """Why the commissioning was taken away."""
    astray: bool = False
    """Covered since it is outside or was moved: dark follows."""
    shut: str = ""
    """Why it stays dark until somebody stands before it."""
    stolen: bool = False
    """Dark until the deployment is ended."""
    ended_ns: int = 0
    ended_by: str = ""
    ended_why: str = ""
    owed: tuple[Owed, ...] = ()

    @property
    def is_over(self) -> bool:
        """Nothing brings it back."""
        return self.stage is Stage.WITHDRAWN

    def facts(self) -> dict[str, Fact]:
        """What the register has of it."""
        return {
            "deployment": self.id,
            "authorisation": self.authorisation,
            "basis": self.basis.value,
            "perimeter": self.perimeter,
            "place": self.place,
            "from": rfc3339(self.from_ns),
            "until": rfc3339(self.until_ns),
            "retention_days": self.retention_days,
            "informed_on": self.informed_on,
            "contact": self.contact,
            "panel": self.panel,
            "latitude": self.latitude,
            "longitude": self.longitude,
        }


def commissioned(deployment: Deployment, view: str, masks: int, by: str, at_ns: int, boot: str) -> Deployment:
    """Placed no more: somebody looked, and the masks are validated for this view of this deployment."""
    return replace(
        deployment if deployment.view == view else _uncommissioned(deployment),  # the view of before counts no more
        stage=Stage.COMMISSIONED,
        view=view,
        masks=masks,
        commissioned_by=by,
        commissioned_ns=at_ns,
        boot=boot,
        covered="",
        astray=False,
    )


def placed_again(deployment: Deployment, boot: str) -> Deployment:
    """Dark no more, and covered: somebody stands before the unit, and nothing counts of what was validated before."""
    return replace(_uncommissioned(deployment), shut="", covered="", astray=False, boot=boot)


def covered(deployment: Deployment, why: str, at_ns: int, *, astray: bool) -> Deployment:
    """The commissioning is taken away: covered until somebody commissions anew."""
    taken = replace(_uncommissioned(deployment), covered=why, astray=deployment.astray or astray)
    return _owing(taken, Act.DEPLOYMENT_CLOSED, "node", at_ns, why)


def shut_down(deployment: Deployment, why: str, at_ns: int, *, stolen: bool = False) -> Deployment:
    """Dark until somebody stands before it; `stolen`: until it is ended."""
    taken = replace(_uncommissioned(deployment), shut=why, astray=False, stolen=deployment.stolen or stolen)
    return _owing(taken, Act.DEPLOYMENT_CLOSED, "node", at_ns, why)


def ended(deployment: Deployment, by: str, why: str, at_ns: int) -> Deployment:
    """Dark for good."""
    taken = replace(_uncommissioned(deployment), stage=Stage.WITHDRAWN, ended_ns=at_ns, ended_by=by, ended_why=why)
    return _owing(taken, Act.DEPLOYMENT_ENDED, by, at_ns, why)


def _uncommissioned(deployment: Deployment) -> Deployment:
    spent = deployment.spent if not deployment.view else (*deployment.spent, deployment.view)[-MOST_VIEWS:]
    return replace(deployment, stage=Stage.PLACED, view="", masks=0, spent=spent)


def _owing(deployment: Deployment, act: Act, by: str, at_ns: int, why: str) -> Deployment:
    return replace(deployment, owed=(*deployment.owed, Owed(act.value, by, at_ns, why)))
