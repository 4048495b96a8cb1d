"""The verdict on a film and the state of its spans, as a person reads them; JSON has their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.base.phrase import say
from agent.evidence.report import State, Verdict

VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.AUTHENTIC: say("authentic"),
    Verdict.MISSING: say("authentic with missing units"),
    Verdict.NOT_AUTHENTIC: say("not authentic"),
    Verdict.NOT_TRUSTED: say("chain not trusted"),
    Verdict.NOT_SIGNED: say("not signed"),
    Verdict.NOT_TOLD: say("cannot be told here"),
}
STATES: Final[Mapping[State, str]] = {
    State.AUTHENTIC: say("authentic"),
    State.CHANGED: say("not authentic"),
    State.MISSING: say("missing"),
    State.PENDING: say("not signed yet"),
}
