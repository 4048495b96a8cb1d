#!/opt/vigie/current/bin/python -PsB
"""Plans a purge while the catalog can still be read: everything goes, save evidence under hold. Run by user vigie at removal.

Writes two lists into /var/lib/vigie, absolute paths one a line, for the package's postrm to carry out when nothing else of
Vigie is left:
    purge.keep         recordings under hold, and what makes them evidence: catalog, register, certificates
    purge.elsewhere    the node's files outside /var/lib/vigie, where a directory may hold other things too
Without purge.keep (the catalog could not be read) postrm destroys no recording: evidence may be among them.
"""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from agent.base.errors import VigieError
from agent.config.load import load
from agent.recording.catalog import Catalog
from agent.recording.row import SegmentRow

CONFIG = Path("/etc/vigie/config.toml")
STATE = Path("/var/lib/vigie")
PROOFS = ("catalog.sqlite3*", "register.*", "identity/*.pem")
PRIVATE_KEY = "key.pem"
OWN = (*PROOFS, "outbox.*", "config.last-good.toml", "identity/**/*", "view/**/*", "run/**/*")
RECORDINGS = "[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*"


def plan(state: Path, recordings: Path, notes: Path) -> None:
    """Write the two lists into the directory `notes`. Raises StorageError when the catalog cannot be read."""
    catalog = state / "catalog.sqlite3"
    rows: list[SegmentRow] = []
    if catalog.exists():
        with closing(Catalog(catalog, recordings)) as opened:
            rows = opened.rows("1")
    held = [recordings / row.path for row in rows if row.held]
    proofs = [path for path in _files(state, *PROOFS) if path.name != PRIVATE_KEY] if held else []
    # Rows also know the films of a directory that was configured before.
    own = {*_files(state, *OWN), *_files(recordings, RECORDINGS), *(recordings / row.path for row in rows)}
    _write(notes / "purge.elsewhere", sorted(path for path in own if not path.is_relative_to(notes)))
    _write(notes / "purge.keep", [*held, *proofs])


def _files(directory: Path, *patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        yield from (path for path in sorted(directory.glob(pattern)) if not path.is_dir())


def _write(path: Path, lines: list[Path]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    try:
        config = load(CONFIG)
        plan(config.node.state_dir, config.recordings_dir, STATE)
    except VigieError as error:
        sys.exit(f"vigie: a later purge will keep every recording, since holds cannot be read: {error}")
