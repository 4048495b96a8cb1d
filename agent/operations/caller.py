"""Who asks something of a node, and the reasons for which nothing is done."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from agent.base.errors import UplinkError

LONGEST_TOKEN: Final = 4096


class Role(StrEnum):
    """Who asks."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    TECHNICIAN = "technician"
    POLICE = "police"


class Door(StrEnum):
    """By which way a request came in."""

    SOCKET = "socket"
    MQTT = "mqtt"
    PAGE = "page"


class Refusal(StrEnum):
    """Why a command is not carried out; the codes of answers."""

    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    UNKNOWN_VERB = "unknown-verb"
    NO_KEY = "no-key"
    UNSIGNED = "unsigned"
    WRONG_AUDIENCE = "wrong-audience"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    TOO_LONG = "too-long"
    INCOMPLETE = "incomplete"
    UNKNOWN_ROLE = "unknown-role"
    REPLAYED = "replayed"
    FORBIDDEN = "forbidden"
    WRONG_VERB = "wrong-verb"
    WRONG_ARGUMENTS = "wrong-arguments"
    INVALID = "invalid"
    NO_FOOTAGE = "no-footage"
    BAD_RESPONSE_TOPIC = "bad-response-topic"
    BUSY = "busy"
    SPARED = "spared"
    FAILED = "failed"


VOUCHED_FOR: Final = frozenset(
    {
        Refusal.UNKNOWN_ROLE,
        Refusal.FORBIDDEN,
        Refusal.WRONG_VERB,
        Refusal.WRONG_ARGUMENTS,
        Refusal.INVALID,
        Refusal.NO_FOOTAGE,
        Refusal.FAILED,
    }
)
"""Said to whoever carries a good token, for this node and this time, that was not used before; the rest to anybody at all."""


class Refused(UplinkError):
    """A command is not carried out. `by` is the caller as far as the hub's signature vouches for it, `id` its token."""

    def __init__(self, code: Refusal, reason: str, *, by: str = "", id: str | None = None, remedy: str = "") -> None:
        super().__init__(reason, remedy=remedy)
        self.code = code
        self.by = by
        self.id = id


class Caller(Struct, frozen=True):
    """Who asks, in which role, through which door.

    Through MQTT the rest is what a good token says: its number, from and until when it is good (Unix seconds), and, where the hub
    gives them, the verb and the arguments that are all it is good for.
    """

    subject: str
    role: Role
    jti: str = ""
    begins_s: int = 0
    ends_s: int = 0
    verb: str | None = None
    arguments: Mapping[str, object] | None = None
    door: Door = Door.MQTT

    @property
    def by(self) -> str:
        """As the register names them."""
        return f"{self.subject} ({self.role})"

    @property
    def id(self) -> str | None:
        """Of the token, where there is one."""
        return self.jti or None


AT_THE_NODE: Final = Caller("local", Role.TECHNICIAN, door=Door.SOCKET)
"""Whoever may open the control socket: its mode and group say who."""
ON_THE_PAGE: Final = Caller("local page", Role.TECHNICIAN, door=Door.PAGE)
