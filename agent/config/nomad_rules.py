"""What [nomad] must be, in itself. Whether an authorisation is in force today is judged when a deployment begins."""

from __future__ import annotations

from collections.abc import Iterator

from agent.base.phrase import say
from agent.config.misfit import Misfit
from agent.config.nomadic import Nomad


def nomad_misfits(nomad: Nomad) -> Iterator[Misfit]:
    """Within the section."""
    seen: dict[str, int] = {}
    for index, perimeter in enumerate(nomad.perimeter):
        first = seen.setdefault(perimeter.name.casefold(), index)
        if first != index:
            yield Misfit(
                say("two perimeters are called {name!r}", name=perimeter.name),
                at=("perimeter", index, "name"),
                beside=[("perimeter", first, "name")],
                remedy=say("give each its own name"),
                instead=f"{perimeter.name[:70]} {index + 1}",
            )
