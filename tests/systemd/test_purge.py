"""What a purge leaves is planned by the node's own catalog."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from agent.base.clock import NS, ClockQuality
from agent.recording.catalog import Catalog
from agent.recording.row import Extent, NewSegment

ROOT = Path(__file__).parents[2]


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


def test_the_plan_is_made_after_the_last_segment(tmp_path: Path) -> None:
    """The package's removal stops the daemon first: what it records until then may lie under a hold, and is on the list."""
    (tmp_path / "running").mkdir()
    for name in ("systemctl", "setpriv"):
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/done\n')
        stub.chmod(0o755)
    script = (ROOT / "systemd/debian/prerm").read_text().replace("/run/systemd/system", str(tmp_path / "running"))
    subprocess.run(["sh", "-c", script, "prerm", "remove"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    stop, plan = (tmp_path / "done").read_text().splitlines()
    assert stop.startswith("systemctl stop")
    assert "vigie.service" in stop
    assert plan.startswith("setpriv")
    assert plan.endswith("/usr/lib/vigie/purge")
