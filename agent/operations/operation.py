"""What a feature offers to do when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from agent.operations.caller import Caller
from agent.operations.verbs import Verb


class Operation(Struct, frozen=True):
    """`act` gets the checked request, of the verb's type, and the caller; it returns a Struct or plain data.

    Called on the door's thread. It raises VigieError when it cannot be done, Refused when it must not be.
    """

    verb: Verb
    act: Callable[[Any, Caller], Any]
