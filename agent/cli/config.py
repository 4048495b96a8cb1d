"""`vigie config`: what the configuration comes to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent.cli._manners import Group
from agent.cli._options import config_option, json_option, print_json

if TYPE_CHECKING:
    from agent.config.setting import EffectiveSetting, Origin


@click.group("config", cls=Group)
def command() -> None:
    """Look at the effective configuration."""


@command.command("show")
@config_option
@click.option("--origin", is_flag=True, help="behind each value, the file and line that gave it, or `default`")
@json_option
def show(config_path: Path, origin: bool, as_json: bool) -> None:
    """Print the effective configuration: config.toml, config.d/*.toml and every default."""
    from agent.config.digest import config_digest, json_values
    from agent.config.load import load_from
    from agent.config.setting import settings
    from agent.config.sources import Sources
    from agent.config.transcript import transcript

    sources = Sources.read(config_path)
    config = load_from(sources)
    found = settings(config, sources)
    if not as_json:
        click.echo(transcript(found, origins=origin), nl=False)
        return
    files = [str(document.path) for document in sources.documents]
    rows = [_row(setting, json_values(config), origin=origin) for setting in found]
    print_json({"files": files, "config_digest": config_digest(config), "settings": rows})


def _row(setting: EffectiveSetting, plain: Any, *, origin: bool) -> dict[str, Any]:
    for step in setting.path:
        plain = plain[step]
    row: dict[str, Any] = {"key": setting.key, "value": plain}
    if origin:
        row["origin"] = _line(setting.origin) if setting.origin else "default"
        row["overrides"] = [_line(beaten) for beaten in setting.overridden]
    return row


def _line(origin: Origin) -> dict[str, Any]:
    return {"file": str(origin.file), "line": origin.line}
