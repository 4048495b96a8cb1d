"""The effective configuration written out as TOML again, each value with its origin behind it when that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.config.locate import KeyPath
from agent.config.setting import EffectiveSetting
from agent.config.toml_value import written


def transcript(settings: Iterable[EffectiveSetting], *, origins: bool = False) -> str:
    """TOML that loads to the same configuration. A key that is not set stands as a comment."""
    return "\n".join(_lines(settings, origins=origins)) + "\n"


def _lines(settings: Iterable[EffectiveSetting], *, origins: bool) -> Iterator[str]:
    table: KeyPath = ()
    for setting in settings:
        *above, name = setting.path
        if setting.value is None and not above:
            yield f"# [{name}] is not set"
            continue
        if tuple(above) != table:
            table = tuple(above)
            yield ""
            yield _header(table)
        text = f"# {name} is not set" if setting.value is None else f"{name} = {written(setting.value)}"
        yield f"{text:<48} # {_origin(setting)}" if origins else text


def _header(table: KeyPath) -> str:
    name = ".".join(str(step) for step in table if isinstance(step, str))
    return f"[[{name}]]" if table and isinstance(table[-1], int) else f"[{name}]"


def _origin(setting: EffectiveSetting) -> str:
    if setting.origin is None:
        return "default"
    beaten = " and ".join(str(origin) for origin in setting.overridden)
    return f"{setting.origin}, over {beaten}" if beaten else str(setting.origin)
