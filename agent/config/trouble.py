"""What is wrong with a configuration, all of it at once, each in its place.

Imported only for a file that is refused: a daemon that runs needs none of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.config.annotation import field_of, section_of
from agent.config.diagnosis import diagnose
from agent.config.document import Document
from agent.config.finding import Finding
from agent.config.locate import KeyPath, Span, dotted
from agent.config.reading import Fault
from agent.config.sources import Sources


def findings(faults: Sequence[Fault], sources: Sources) -> list[Finding]:
    """Every fault in its place, in words."""
    found = []
    for fault in faults:
        document, span = _where(sources, fault.path)
        what, remedy = diagnose(fault)
        found.append(document.finding(span, dotted(fault.path), what, remedy))
    return found


def _where(sources: Sources, path: KeyPath) -> tuple[Document, Span]:
    """Where a fault shows: the value, the key when it is unknown, else where the missing thing should stand."""
    found = sources.place(path)
    if found is None:
        return sources.nearest(path)
    document, place = found
    section = section_of(path[:-1])
    unknown = section is not None and isinstance(path[-1], str) and field_of(section, path[-1]) is None
    return document, place.key if unknown else place.value
