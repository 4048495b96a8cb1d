"""What is wrong with a configuration, all of it at once, each in its place.

Imported only for a file that is refused: a daemon that runs needs none of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agent.base.phrase import say
from agent.config.annotation import field_of, section_of
from agent.config.diagnosis import diagnose
from agent.config.document import Document
from agent.config.finding import Finding
from agent.config.locate import KeyPath, TextSpan
from agent.config.mending.wanted import kind_of
from agent.config.misfit import Misfit
from agent.config.polygon_meant import in_pixels, on_picture, size_of, with_commas
from agent.config.reading import ReadingFault
from agent.config.remedies import Remedies
from agent.config.sources import Sources


def findings(faults: Sequence[ReadingFault], sources: Sources) -> list[Finding]:
    """Every fault in its place, in words, and with it every slip of syntax; each with what can be pasted."""
    remedies = Remedies(sources)
    found = list(sources.faults)
    for fault in _drawn_otherwise(faults, sources):
        document, span = _where(sources, fault.path)
        what, remedy = diagnose(fault)
        found.append(document.finding(span, fault.path, what, remedy, remedies.of(fault, document)))
    return [remedies.complete(finding) for finding in found]


def _drawn_otherwise(faults: Iterable[ReadingFault], sources: Sources) -> Iterator[ReadingFault]:
    """A polygon in pixels, or with decimal commas, is one mistake and not one for each of its corners."""
    told: set[KeyPath] = set()
    for fault in faults:
        polygon = fault.path[: fault.path.index("polygon") + 1] if "polygon" in fault.path else ()
        polygon = polygon if kind_of(polygon) == "polygon" else ()
        raw = _value(sources, polygon) if polygon else None
        if with_commas(raw):
            misfit = Misfit(say("decimals take a point"), remedy=say("corners are [[x, y], [x, y], [x, y]], each number as 0.25"))
        elif in_pixels(raw) and on_picture(polygon):
            width, height = size_of(sources.content)
            misfit = Misfit(
                say("the corners are in pixels"),
                remedy=say(
                    "corners are fractions of the picture: x divided by {width}, y by {height}", width=width, height=height
                ),
            )
        else:
            yield fault
            continue
        if polygon not in told:
            told.add(polygon)
            yield ReadingFault(polygon, raw, None, misfit)


def _value(sources: Sources, path: KeyPath) -> object:
    value: object = sources.content
    for step in path:
        try:
            value = value[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _where(sources: Sources, path: KeyPath) -> tuple[Document, TextSpan]:
    """Where a fault shows: the value, the key when it is unknown, else where the missing thing should stand."""
    found = sources.place(path)
    if found is None:
        return sources.nearest(path)
    document, place = found
    section = section_of(path[:-1])
    unknown = section is not None and isinstance(path[-1], str) and field_of(section, path[-1]) is None
    return document, place.key if unknown else place.value
