#!/opt/vigie/current/bin/python -IB
"""Plans a purge while the catalog can still be read: everything goes, save evidence under hold. Run by user vigie at removal.

Prints the plan, which the package's prerm keeps in a directory of root's for its postrm to carry out (as user vigie again):
absolute paths, each after a letter and ended by a NUL.
    K    kept: recordings under hold, and what makes them evidence: catalog, register, certificates
    E    destroyed: the node's files outside /var/lib/vigie, where a directory may hold other things too
Without a plan (the catalog could not be read) postrm destroys no recording: evidence may be among them.
"""

import os
import re
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
PROOFS = ("catalog.sqlite3*", "register.*", "register-*", "identity/*.pem")
PRIVATE_KEY = "key.pem"
OWN = (*PROOFS, "outbox.*", "commands.*", "config.last-good.toml", "identity/**/*", "view/**/*", "run/**/*")
RECORDINGS = "[0-9][0-9][0-9][0-9]/[0-9][0-9]/[0-9][0-9]/*"
FILM = re.compile(r"/.*/\d{4}/\d\d/\d\d/[^/]+\.mp4", re.DOTALL)


def plan(state: Path, recordings: Path, packaged: Path) -> tuple[list[Path], list[Path]]:
    """What is kept, and what goes outside the directory `packaged`. Raises StorageError when the catalog cannot be read."""
    catalog = state / "catalog.sqlite3"
    rows: list[SegmentRow] = []
    if catalog.exists():
        with closing(Catalog(catalog, recordings)) as opened:
            rows = opened.rows("1")
    held = [row.path for row in rows if row.held]
    proofs = [path for path in _files(state, *PROOFS) if path.name != PRIVATE_KEY] if held else []
    # Rows also know the films of a directory that was configured before. A row that names anything else than a film is not ours.
    known = {row.path for row in rows if FILM.fullmatch(str(row.path)) and ".." not in row.path.parts}
    own = {*_files(state, *OWN), *_files(recordings, RECORDINGS), *known}
    return [*held, *proofs], sorted(path for path in own if not path.is_relative_to(packaged))


def _files(directory: Path, *patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        yield from (path for path in sorted(directory.glob(pattern)) if path.is_symlink() or not path.is_dir())


def printed(kept: list[Path], elsewhere: list[Path]) -> bytes:
    """The plan as postrm reads it: no name can end its line."""
    return b"".join(letter + os.fsencode(path) + b"\0" for letter, paths in ((b"K", kept), (b"E", elsewhere)) for path in paths)


if __name__ == "__main__":
    try:
        config = load(CONFIG)
        sys.stdout.buffer.write(printed(*plan(config.node.state_dir, config.recordings_dir, STATE)))
    except VigieError as error:
        sys.exit(f"vigie: a later purge will keep every recording, since holds cannot be read: {error}")
