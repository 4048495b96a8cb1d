"""The one desk behind every door: checks the role, enters the register, acts. Doors only translate.

1. What is done was offered by one feature, through this door, to this role; nothing else is done.
2. A verb that is entered stands in the register before it is carried out; what cannot be entered is not done.
3. Every door's caller is known by name: the register says who asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from agent.base.errors import VigieError
from agent.base.phrase import say
from agent.journal.entry import Act, Fact, Journal
from agent.operations.arguments import Arguments
from agent.operations.caller import Caller, Door, Refusal, Refused
from agent.operations.operation import Operation

log = logging.getLogger(__name__)


class Desk:
    """Any thread. `offered` gives every operation of the house, and is asked anew for each request."""

    def __init__(self, offered: Callable[[], Iterable[Operation]], journal: Journal) -> None:
        self._offered = offered
        self._journal = journal

    def verbs(self, door: Door) -> Mapping[str, Operation]:
        """What may be asked through this door."""
        return {each.verb.name: each for each in self._offered() if door in each.verb.doors}

    def admit(self, name: str, caller: Caller) -> Operation:
        """The operation, when it may be asked by this caller through this door. Refused otherwise."""
        operation = self.operation(name, caller.door)
        verb = operation.verb
        if caller.role not in verb.roles:
            bound = f"not for the role {caller.role}, only for {', '.join(sorted(verb.roles))}"
            raise Refused(Refusal.FORBIDDEN, f"{verb.name}: {bound}", by=caller.by, id=caller.id)
        return operation

    def operation(self, name: str, door: Door) -> Operation:
        """The operation of that name behind this door, whoever asks. Refused when there is none."""
        verbs = self.verbs(door)
        if name not in verbs:
            raise Refused(Refusal.UNKNOWN_VERB, say("no such command; there are: {names}", names=", ".join(sorted(verbs))))
        return verbs[name]

    def do(self, name: str, request: Arguments, caller: Caller) -> Any:
        """Carry out what is asked. Refused says why it is not done, or failed; never raises anything else."""
        operation = self.admit(name, caller)
        try:
            if operation.verb.entered:
                self._journal.enter(Act.COMMAND, caller.by, _facts(name, request, caller))
                log.info("command %s from %s", name, caller.by)
            return operation.act(request, caller)
        except Refused:
            raise
        except VigieError as error:
            code = Refusal.FAILED
            what, remedy = error.said
            raise Refused(code, what, by=caller.by, id=caller.id, remedy=remedy) from error
        except Exception as error:
            # A bug behind one verb: it is reported, and the next request is none the worse for it.
            log.error("command %s: internal error: %s: %s", name, type(error).__name__, error)
            log.debug("command %s: internal error", name, exc_info=True)
            reason = say("internal error: {kind}; the node's log has the rest", kind=type(error).__name__)
            raise Refused(Refusal.FAILED, reason, by=caller.by, id=caller.id) from error


def _facts(name: str, request: Arguments, caller: Caller) -> dict[str, Fact]:
    named = msgspec.to_builtins(request).items()
    arguments = {name: value for name, value in named if name != "token" and value is not None}
    return {"outcome": "accepted", "verb": name, "id": caller.jti, **arguments}
