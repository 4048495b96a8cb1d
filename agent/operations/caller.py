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

    def __init__(self, code: Refusal, reason: str, *, by: str = "", id: str | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.by = by
        self.id = id


class Caller(Struct, frozen=True):
    """What a good token says: who asks, in which role, under which number, from and until when (Unix seconds).

    `verb` and `arguments`, where the hub gives them, are all the token is good for.
    """

    subject: str
    role: Role
    jti: str
    begins_s: int
    ends_s: int
    verb: str | None = None
    arguments: Mapping[str, object] | None = None

    @property
    def by(self) -> str:
        """As the register names them."""
        return f"{self.subject} ({self.role})"
