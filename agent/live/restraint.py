"""What a battery or a data plan that runs out leaves of looking in: who may open a lease, for how long, at which stream.

The functions are pure. They can refuse, shorten and end; none of them lets anybody in. Masks, register and recording are
unknown here.
"""

from __future__ import annotations

from typing import Final

from agent.base.phrase import Phrase, say
from agent.live.lease import LeaseTerms
from agent.operations.caller import Role
from agent.ports.live import Rendition
from agent.sensors.ladder import Looking

SHORT_S: Final = 600.0
"""A lease lasts no longer while anything is spared: whoever goes on looking says so again."""
ALWAYS: Final = frozenset({Role.POLICE, Role.SUPERVISOR})
"""They need no incident's reference: they are who is called to one, and who answers for the data plan."""


PLAN_USED_UP: Final = say("the data plan of this month is used up: nobody looks in until it begins anew")
OTHER_STREAM: Final = say("the node sends its other stream from now on, large or small: come again")
BY_INCIDENT: Final = say("battery or data plan run out: police and supervisors look in, or whoever names an incident")


def longest_s(looking: Looking, asked_s: float) -> float:
    """How many of the seconds that are asked for a lease may have."""
    return asked_s if looking is Looking.FREELY else min(asked_s, SHORT_S)


def against(looking: Looking, terms: LeaseTerms) -> Phrase | None:
    """Why nobody may look on these terms now; None when nothing is against it."""
    if looking is Looking.CLOSED:
        return PLAN_USED_UP
    if looking is Looking.BY_INCIDENT and not (terms.incident or terms.holder.role in ALWAYS):
        return BY_INCIDENT
    return None


def rendition(looking: Looking, terms: LeaseTerms) -> Rendition:
    """Which stream a lease is given: the low one where it asks for that, and all of them while anything is spared."""
    return terms.rendition if looking is Looking.FREELY else Rendition.LOW


def ends_at_once(looking: Looking, terms: LeaseTerms) -> bool:
    """Whether a lease in force that would not be opened any more ends now, and not when its minutes are over.

    Where nothing may be sent any more, and where nobody in particular looks: an account that renews itself.
    """
    return looking is Looking.CLOSED or terms.standing
