"""Loading: from files to a Config, or to every error at once, each in its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent.base.language import prefer
from agent.config.finding import RefusedConfiguration
from agent.config.model import Config
from agent.config.paths import absolute
from agent.config.reading import ReadingFault, read
from agent.config.sources import Sources


def load(path: Path) -> Config:
    """The configuration in `path` and its drop-ins, its paths absolute; RefusedConfiguration lists every error at once."""
    return load_from(Sources.read(path))


def load_from(sources: Sources) -> Config:
    """The configuration these files make; RefusedConfiguration as of `load`."""
    prefer(sources.value(("node", "language")))
    if not sources.whole:
        raise _refused(sources, ())
    config, faults = read(sources.content, sources.damaged)
    if faults or sources.faults:
        raise _refused(sources, faults)
    return absolute(config, sources)


def _refused(sources: Sources, faults: Sequence[ReadingFault]) -> RefusedConfiguration:
    from agent.config.faults import findings

    found = findings(faults, sources)
    closer = sources.read_closely()
    if closer is not None:  # the true mistakes, and what stands behind misspelt names
        found = findings(read(closer.content, closer.damaged)[1] if closer.whole else (), closer) or found
    order = {document.path: n for n, document in enumerate(sources.documents)}
    found.sort(key=lambda f: (order[f.file], f.span.line if f.span else 0, f.span.column if f.span else 0))
    return RefusedConfiguration(found)
