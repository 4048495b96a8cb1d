"""The last good configuration: kept under state_dir, so that destruction goes on when the file has been broken."""

from __future__ import annotations

import os
from pathlib import Path

from agent.base.durable_file import replace_durably
from agent.base.errors import StorageError
from agent.base.phrase import say
from agent.base.regular_file import read_regular
from agent.config.digest import config_digest
from agent.config.finding import RefusedConfiguration
from agent.config.load import load, load_from
from agent.config.model import DEFAULT_STATE_DIR, Config
from agent.config.setting import settings
from agent.config.sources import Sources
from agent.config.transcript import transcript

NAME = "config.last-good.toml"

DEFAULT_FILE = Path("/etc/vigie/config.toml")


def remember(path: Path, config: Config) -> Path:
    """Keep `config`, as loaded from `path` and its drop-ins; where it is kept. Does nothing when it is kept already.

    Durable on return, and whole at every instant: written beside, fsynced, renamed, the directory fsynced. StorageError
    when the disk refuses.
    """
    kept = config.node.state_dir / NAME
    text = (
        f"# The last good configuration, as read from {path.absolute()}: every value, defaults as well.\n"
        f"# Kept for `vigie retention sweep`; edit {path.absolute()}, not this copy.\n"
        f"# config_digest {config_digest(config)}\n" + transcript(settings(config))
    )
    try:
        if _holds(kept, text.encode()):
            return kept
        kept.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(kept, text.encode(), mode=0o640)
    except OSError as error:
        raise StorageError(
            say("the last good configuration cannot be kept in {kept}: {error}", kept=kept, error=error),
            remedy=say("check the disk and who owns {parent}", parent=kept.parent),
        ) from error
    return kept


def load_last_good(state_dir: Path) -> Config:
    """The configuration kept under `state_dir`; RefusedConfiguration when there is none or it is damaged."""
    return load(state_dir / NAME)


def load_or_last_good(path: Path) -> tuple[Config, RefusedConfiguration | None]:
    """The configuration in `path`, or the last good one and why the file is refused; that refusal when neither serves.

    The last good one is looked for where the broken file still says that state is kept, then where systemd keeps it, and,
    for the installed file only, where the package keeps it.
    """
    sources = Sources.read(path)
    try:
        return load_from(sources), None
    except RefusedConfiguration as refused:
        for state_dir in _state_directories(path, sources):
            try:
                config = load_last_good(state_dir)
            except RefusedConfiguration:
                continue
            if config.node.state_dir == state_dir:  # a copy from another node rules nothing here
                return config, refused
        raise


def _state_directories(path: Path, sources: Sources) -> list[Path]:
    found = []
    node = sources.content.get("node")
    said = node.get("state_dir") if isinstance(node, dict) else None
    if isinstance(said, str) and "\0" not in said:
        place = sources.place(("node", "state_dir"))
        base = (place[0] if place else sources.documents[0]).path.absolute().parent
        found.append(Path(os.path.normpath(base / said)))
    if "STATE_DIRECTORY" in os.environ:
        found.append(Path(os.environ["STATE_DIRECTORY"].split(":")[0]))
    if path.absolute() == DEFAULT_FILE:
        found.append(DEFAULT_STATE_DIR)
    return found


def _holds(path: Path, content: bytes) -> bool:
    try:
        return read_regular(path, len(content) + 1) == content
    except OSError:
        return False
