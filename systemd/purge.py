#!/opt/vigie/current/bin/python -PsB
"""Plans a purge while the catalog can still be read: everything goes, save evidence under hold. Run by root at removal.

Writes into the state directory what the package's postrm carries out later, when nothing of Vigie is left but two lists:
    purge.keep    absolute paths of the recordings under hold, one a line
    purge.elsewhere    absolute paths of recordings outside the state directory, one a line
Without purge.keep (the catalog could not be read) postrm destroys no recording: evidence may be among them.
"""

import sys
from pathlib import Path

from agent.config.load import load
from agent.errors import VigieError
from agent.recording.catalog import Catalog

CONFIG = Path("/etc/vigie/config.toml")
STATE = Path("/var/lib/vigie")


def plan(recordings: Path, catalog: Path, notes: Path) -> None:
    """Write the two lists into the directory `notes`. Raises StorageError when the catalog cannot be read."""
    rows = Catalog(catalog, recordings, read_only=True).rows("1") if catalog.exists() else []
    elsewhere = [] if recordings.is_relative_to(notes) else sorted(recordings.glob("[0-9]*/[0-9][0-9]/[0-9][0-9]/*.mp4*"))
    write(notes / "purge.elsewhere", elsewhere)
    write(notes / "purge.keep", [recordings / row.path for row in rows if row.held])


def write(path: Path, lines: list[Path]) -> None:
    """One path a line."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    try:
        config = load(CONFIG)
        plan(config.recordings_dir, config.node.state_dir / "catalog.sqlite3", STATE)
    except VigieError as error:
        sys.exit(f"vigie: a later purge will keep every recording, since holds cannot be read: {error}")
