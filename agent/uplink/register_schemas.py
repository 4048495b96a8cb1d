"""What each act of the register says of itself: the facts that a line of it always bears. Further ones are scalars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from agent.journal.entry import Act

_WORDS: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_NUMBER: Final = {"type": "number"}
_AT: Final = {"type": "string", "format": "date-time"}
_HOLD: Final = {"hold": _COUNT, "from": _AT, "to": _AT, "reference": _WORDS, "by": _WORDS}
_GONE: Final = {"destruction": _COUNT, "reason": _WORDS, "segments": _COUNT, "from": _AT, "to": _AT, "digest": _WORDS}

FACTS: Final[Mapping[Act, Mapping[str, Any]]] = {
    Act.RECORDING_BEGUN: {"segment": _WORDS, "clock": _WORDS},
    Act.RECORDING_ENDED: {"why": _WORDS},
    Act.DESTROYED: _GONE,
    Act.ABSENT: _GONE,
    Act.EXPORTED: {"from": _AT, "to": _AT, "reference": _WORDS, "file": _WORDS, "sha256": _WORDS, "bytes": _COUNT},
    Act.HELD: _HOLD,
    Act.RELEASED: _HOLD,
    Act.STILL_TAKEN: {"masks": _COUNT, "out": _WORDS},
    Act.VIEW_NUDGED: {"masks": {}},
    Act.VIEW_VALIDATED: {"masks": {}},
    Act.LIVE_BEGUN: {"how": _WORDS},
    Act.LIVE_ENDED: {"how": _WORDS, "seconds": _NUMBER},
    Act.LIVE_REFUSED: {"how": _WORDS, "address": _WORDS, "count": _COUNT},
    Act.LEASE_OPENED: {"lease": _WORDS, "way": _WORDS, "until": _AT, "why": _WORDS},
    Act.LEASE_RENEWED: {"lease": _WORDS, "until": _AT},
    Act.LEASE_ENDED: {"lease": _WORDS, "why": _WORDS},
    Act.CONFIGURATION_CHANGED: {"digest": _WORDS, "keys": _WORDS},
    Act.MASKS_CHANGED: {"masks": _COUNT},
    Act.COMMAND: {"outcome": {"enum": ["accepted", "refused"], "type": "string"}},
    Act.CHAIN_SIGNED: {"head": _WORDS},
    Act.SAVINGS_CHANGED: {"of": {"enum": ["battery", "data"], "type": "string"}, "rung": _WORDS},
    Act.ROTATED: {"part": _WORDS, "gone": _COUNT, "gone digest": _WORDS},
}


def by_act() -> list[dict[str, Any]]:
    """One condition for each act: of such a line, these facts."""
    return [
        {
            "if": {"properties": {"act": {"const": act.value}}},
            "then": {"properties": {"facts": {"required": list(facts), "properties": dict(facts)}}},
        }
        for act, facts in FACTS.items()
    ]
