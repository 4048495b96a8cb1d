"""Loading: from files to a Config, or to every error at once, each in its place."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from agent.config.finding import RefusedConfiguration
from agent.config.model import Config
from agent.config.paths import absolute
from agent.config.sources import Sources


def load(path: Path) -> Config:
    """The configuration in `path` and its drop-ins, its paths absolute; RefusedConfiguration lists every error at once."""
    return load_from(Sources.read(path))


def load_from(sources: Sources) -> Config:
    """The configuration these files make; RefusedConfiguration as of `load`."""
    if sources.whole and not sources.faults:
        try:
            return absolute(Config.model_validate(sources.content), sources)
        except ValidationError:
            pass  # looked into below
    raise _refused(sources)


def _refused(sources: Sources) -> RefusedConfiguration:
    from agent.config.trouble import findings

    found = [*sources.faults, *(findings(sources) if sources.whole else ())]
    order = {document.path: n for n, document in enumerate(sources.documents)}
    found.sort(key=lambda f: (order[f.file], f.span.line if f.span else 0, f.span.column if f.span else 0))
    return RefusedConfiguration(found)
