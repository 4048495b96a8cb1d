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
    kept, elsewhere = purge.plan(node / "state", node / "ssd", node / "packaged")
    return {str(p.relative_to(node)) for p in kept}, {str(p.relative_to(node)) for p in elsewhere}


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


def test_a_row_that_names_no_film_is_on_no_list(purge: ModuleType, node: Path) -> None:
    """The catalog belongs to the node's user: whatever it names, only films can go."""
    (node / "state/planted").write_text("precious")
    catalog = Catalog(node / "state/catalog.sqlite3", node / "ssd")
    with catalog.change() as db:
        names = ("/etc/shadow", "/etc/2026/11/23/../../../passwd.mp4", str(node / "precious.mp4"), "x\ny")
        for i, name in enumerate(names):
            db.execute("UPDATE segment SET path = ? WHERE id = ?", (name, i + 1))
    catalog.close()
    _, elsewhere = purge.plan(node / "state", node / "ssd", node / "packaged")
    assert {path.name for path in elsewhere if path.suffix == ".mp4"} == {f"10000{n}.000.mp4" for n in range(3)}
    assert all(path.is_relative_to(node) for path in elsewhere)


class Removed:
    """The package's own postrm, purging a node below a folder; what it ran as the node's user stands in `as_node`."""

    def __init__(self, where: Path) -> None:
        self.state, self.removal = where / "lib/vigie", where / "lib/vigie-removal"
        for directory in (self.state, self.removal, where / "etc", where / "opt", where / "bin", where / "elsewhere/2026/11/23"):
            directory.mkdir(parents=True)
        (where / "precious").write_text("precious")
        self.where = where
        stubs = {
            "setpriv": f'while [ "$1" != -- ]; do shift; done; shift; echo "$1" >>{where}/as_node; IS_NODE=1 exec "$@"',
            "getent": "exit 0",
            **dict.fromkeys(("userdel", "deb-systemd-helper", "systemctl"), "exit 0"),
        }
        for name, text in stubs.items():
            (where / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
            (where / "bin" / name).chmod(0o755)

    def purge(self) -> str:
        """Carry it out; what it said."""
        script = (ROOT / "systemd/debian/postrm").read_text()
        for path in ("/var/lib/vigie", "/etc/vigie", "/opt/vigie", "/etc/credstore", "/run/systemd/system"):
            script = script.replace(path, f"{self.where}{path.replace('/var', '')}")
        environment = {"PATH": f"{self.where}/bin:/usr/bin:/bin"}
        done = subprocess.run(["sh", "-c", script, "postrm", "purge"], env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


@pytest.fixture
def removed(tmp_path: Path) -> Removed:
    """A node whose package was removed, not purged yet."""
    return Removed(tmp_path)


def test_nothing_that_the_nodes_user_plants_reaches_further(removed: Removed, purge: ModuleType) -> None:
    """Names with newlines, lists of its own, links to files and directories: what lies outside stays, the state goes."""
    precious, state = removed.where / "precious", removed.state
    (removed.removal / "plan").write_bytes(purge.printed([], []))
    trap = state / f"x\n{removed.where}"
    trap.mkdir(parents=True)
    (trap / "precious").write_text("bait")  # find prints it as two lines, the second of which is the precious file
    (state / "purge.elsewhere").write_text(f"{precious}\n")
    (state / "purge.keep").touch()
    (state / "link").symlink_to(precious)
    (state / "outbox.d").symlink_to(removed.where / "elsewhere")
    (removed.where / "elsewhere/not-vigies").write_text("precious")
    removed.purge()
    assert precious.read_text() == "precious"
    assert (removed.where / "elsewhere/not-vigies").exists()
    assert not state.exists()
    assert not removed.removal.exists()


def test_what_is_destroyed_is_destroyed_as_the_nodes_user(removed: Removed, purge: ModuleType) -> None:
    """Root itself removes nothing below the state directory while anything of the node's user is in it."""
    film = removed.where / "elsewhere/2026/11/23/100000.000.mp4"
    film.write_text("film")
    (removed.state / "outbox.sqlite3").touch()
    (removed.removal / "plan").write_bytes(purge.printed([], [film]))
    removed.purge()
    assert not film.exists()
    assert (removed.where / "as_node").read_text().split() == ["find", "xargs", "find"]


def test_evidence_with_any_name_is_kept(removed: Removed, purge: ModuleType) -> None:
    """A held film whose name holds a newline or a space; its neighbour goes; root's list says what is left."""
    kept, goes = removed.state / "recordings/a\nb c.mp4", removed.state / "recordings/b c.mp4"
    kept.parent.mkdir()
    kept.touch()
    goes.touch()
    (removed.removal / "plan").write_bytes(purge.printed([kept], []))
    said = removed.purge()
    assert (kept.exists(), goes.exists()) == (True, False)
    assert "1 recordings" in said
    assert "b c.mp4" in (removed.removal / "kept.txt").read_text()


def test_where_no_evidence_can_be_seen_nothing_goes(removed: Removed, purge: ModuleType) -> None:
    """A directory that is locked shows other names: its evidence would be among what the plan does not keep."""
    secret = removed.state / "olbogDoYVBfZztdkbulHRLqtmeuNXds3w2Qmyis60AR03wG"
    secret.touch()
    (removed.removal / "plan").write_bytes(purge.printed([removed.state / "recordings/a.mp4"], []))
    assert "nothing was destroyed" in removed.purge()
    assert secret.exists()


def test_without_a_plan_no_recording_goes(removed: Removed) -> None:
    """Holds could not be read; nor does a plan count that the node's user wrote."""
    for name in ("recordings/film.mp4", "identity/key.pem", "outbox.sqlite3"):
        (removed.state / name).parent.mkdir(exist_ok=True)
        (removed.state / name).touch()
    (removed.state / "purge.keep").touch()
    (removed.state / "plan").touch()
    assert "every recording is kept" in removed.purge()
    assert {path.name for path in removed.state.rglob("*") if path.is_file()} == {"film.mp4", "purge.keep", "plan"}


def test_the_plan_is_made_after_the_last_segment(tmp_path: Path) -> None:
    """The package's removal stops the daemon first: what it records until then may lie under a hold, and is on the list."""
    (tmp_path / "running").mkdir()
    for name in ("systemctl", "setpriv"):
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/done\necho the plan\n')
        stub.chmod(0o755)
    script = (ROOT / "systemd/debian/prerm").read_text().replace("/run/systemd/system", str(tmp_path / "running"))
    script = script.replace("/var/lib/vigie-removal", str(tmp_path / "removal"))
    subprocess.run(["sh", "-c", script, "prerm", "remove"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True)
    stop, plan = (tmp_path / "done").read_text().splitlines()
    assert stop.startswith("systemctl stop")
    assert "vigie.service" in stop
    assert plan.startswith("setpriv")
    assert plan.endswith("/usr/lib/vigie/purge")
    assert (tmp_path / "removal/plan").read_text() == "the plan\n"
