"""What a purge leaves is planned by the node's own catalog."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from agent.clock import NS, ClockQuality
from agent.recording.catalog import Catalog
from agent.recording.row import Extent, NewSegment


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Three films outside the state directory, ten seconds each, with what belongs to them."""
    recordings, state = tmp_path / "ssd", tmp_path / "state"
    catalog = Catalog(state / "catalog.sqlite3", recordings)
    for n in range(3):
        film = recordings / f"2026/11/23/10000{n}.000.mp4"
        film.parent.mkdir(parents=True, exist_ok=True)
        film.write_bytes(b"film")
        segment = catalog.begin(NewSegment(film, "boot", 0, 10 * n * NS, ClockQuality.SYNCHRONISED, 10 * n * NS))
        catalog.finish(segment, Extent(10 * NS, 4, 250), "")
    catalog.close()
    (state / "identity").mkdir()
    for name in ("identity/key.pem", "identity/chain.pem", "register.jsonl", "outbox.sqlite3"):
        (state / name).touch()
    (tmp_path / "ssd/not-vigies").touch()
    return tmp_path


def planned(purge: ModuleType, node: Path) -> tuple[set[str], set[str]]:
    """The two lists, as paths below the node's folder: kept, and destroyed elsewhere."""
    notes = node / "notes"
    notes.mkdir()
    purge.plan(node / "state", node / "ssd", notes)
    kept, elsewhere = ((notes / name).read_text().splitlines() for name in ("purge.keep", "purge.elsewhere"))
    return {str(Path(p).relative_to(node)) for p in kept}, {str(Path(p).relative_to(node)) for p in elsewhere}


def test_without_a_hold_everything_of_the_node_goes(purge: ModuleType, node: Path) -> None:
    """Nothing is kept; what is not the node's is not on the list."""
    kept, elsewhere = planned(purge, node)
    assert kept == set()
    assert {"state/identity/key.pem", "state/outbox.sqlite3", "ssd/2026/11/23/100000.000.mp4"} <= elsewhere
    assert "ssd/not-vigies" not in elsewhere


def test_hold_keeps_its_films_and_what_proves_them(purge: ModuleType, node: Path) -> None:
    """The films that the hold touches, catalog, register and certificates; never the private key."""
    catalog = Catalog(node / "state/catalog.sqlite3", node / "ssd")
    with catalog.change() as db:
        db.execute(
            "INSERT INTO hold (from_ns, to_ns, reference, by, held_ns) VALUES (?, ?, 'PV 2026/117', 'Cpt. Durand', 0)",
            (11 * NS, 12 * NS),
        )
    catalog.close()
    kept, _ = planned(purge, node)
    films = {path for path in kept if path.endswith(".mp4")}
    assert films == {"ssd/2026/11/23/100001.000.mp4"}
    assert kept - films == {"state/catalog.sqlite3", "state/register.jsonl", "state/identity/chain.pem"}
