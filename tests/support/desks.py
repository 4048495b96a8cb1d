"""A desk that answers every command of the hub in one way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from agent.journal.entry import Journal
from agent.operations.caller import Caller
from agent.operations.desk import Desk
from agent.operations.operation import Operation
from agent.operations.verbs import COMMANDS, Verb


def desk(journal: Journal, act: Callable[[Verb, Any, Caller], Any]) -> Desk:
    """`act` is what every verb comes to."""
    offered = [Operation(verb, partial(act, verb)) for verb in COMMANDS.values()]
    return Desk(lambda: offered, journal)
