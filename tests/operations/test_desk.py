"""The desk behind every door: who may ask, what the register hears, and what comes of a fault."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.errors import StorageError
from agent.journal.entry import Act
from agent.operations.arguments import Arguments
from agent.operations.caller import Caller, Door, Refusal, Refused, Role
from agent.operations.desk import Desk
from agent.operations.local import ReadStatus
from agent.operations.operation import Operation
from agent.operations.payloads import Ping
from agent.operations.verbs import VERBS
from tests.support.journals import Refusing, Remembered


class Offered:
    """Every verb of the house, and what was done."""

    def __init__(self) -> None:
        self.register = Remembered()
        self.done: list[str] = []
        self.desk = Desk(self.operations, self.register)

    def operations(self) -> list[Operation]:
        """All of them."""

        def act(name: str) -> Any:
            return lambda _request, _caller: self.done.append(name)

        return [Operation(verb, act(name)) for name, verb in VERBS.items()]


def asked(name: str) -> Arguments:
    """Some request: the door has checked it."""
    return Ping(token="t") if Door.MQTT in VERBS[name].doors else ReadStatus()


@given(st.sampled_from(sorted(VERBS)), st.sampled_from(Role), st.sampled_from(Door))
def test_what_is_done_was_allowed_and_stands_in_the_register_first(name: str, role: Role, door: Door) -> None:
    """Any verb, role and door: done exactly when the table says so, and entered exactly when it is done and says so."""
    offered, verb = Offered(), VERBS[name]
    allowed = door in verb.doors and role in verb.roles
    caller = Caller("A", role, "j1", door=door)
    if allowed:
        offered.desk.do(name, asked(name), caller)
    else:
        with pytest.raises(Refused) as refused:
            offered.desk.do(name, asked(name), caller)
        assert refused.value.code is (Refusal.FORBIDDEN if door in verb.doors else Refusal.UNKNOWN_VERB)
    assert offered.done == ([name] if allowed else [])
    entered = [(act, by, facts["verb"]) for act, by, facts in offered.register.entries]
    assert entered == ([(Act.COMMAND, f"A ({role})", name)] if allowed and verb.entered else [])


def test_every_command_of_the_hub_is_entered() -> None:
    """Whoever asks from afar leaves a line."""
    assert [name for name, verb in VERBS.items() if Door.MQTT in verb.doors and not verb.entered] == []


def test_what_cannot_be_entered_is_not_done() -> None:
    """A register whose disk is full refuses the command with its own words."""
    offered = Offered()
    desk = Desk(offered.operations, Refusing())
    with pytest.raises(Refused) as refused:
        desk.do("ping", asked("ping"), Caller("A", Role.OPERATOR, "j1"))
    assert (refused.value.code, refused.value.id, offered.done) == (Refusal.FAILED, "j1", [])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (StorageError("the disk is gone", remedy="look at it"), "the disk is gone. Look at it"),
        (ZeroDivisionError("x"), "internal error: ZeroDivisionError; the node's log has the rest"),
    ],
)
def test_whatever_goes_wrong_behind_a_verb_is_a_refusal_in_words(fault: Exception, words: str) -> None:
    """A door has one kind of error to translate; the cause goes with it for the log."""

    def fails(_request: object, _caller: object) -> None:
        raise fault

    desk = Desk(lambda: [Operation(VERBS["ping"], fails)], Remembered())
    with pytest.raises(Refused) as refused:
        desk.do("ping", asked("ping"), Caller("A", Role.OPERATOR, "j1"))
    assert (str(refused.value), refused.value.code, refused.value.__cause__) == (words, Refusal.FAILED, fault)
