"""What an event says, as a person reads it: in the log, and in the demonstration's feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent.events.edge import Edge
from agent.ports.event import Value

_EDGES: Final = {
    Edge.BEGAN: "began",
    Edge.ENDED: "is over",
    Edge.STATED: "as before",
    Edge.WITHDRAWN: "this state is told no more",
    Edge.HAPPENED: "it happened",
}


def in_words(data: Mapping[str, Value], edge: Edge) -> str:
    """`began, What no space left`: what became of the state, then what is known of it. What is empty is left out.

    Whether it is so is said by its edge; a state in words, such as `State opaque`, speaks for itself.
    """
    facts = [f"{name} {value}" for name, value in data.items() if not isinstance(value, bool) and value != ""]
    if edge is Edge.WITHDRAWN or not facts:
        return _EDGES[edge]
    is_in_words = edge is Edge.HAPPENED or isinstance(data.get("State"), str)
    return ", ".join(facts if is_in_words else (_EDGES[edge], *facts))
