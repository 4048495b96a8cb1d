"""Destruction cannot be tricked: a film that was renamed, moved, replaced, copied or linked goes on its day, or is missed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from agent.base.clock import NS
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.parts import lines
from agent.recording.retention import Sweep
from agent.recording.row import SegmentState
from tests.support.played import play
from tests.support.recordings import DAY_S, Recordings


@pytest.fixture
def films(node: Recordings) -> list[Path]:
    """Three films of four seconds, of a real recorder; the last begins eight seconds after the first."""
    node.record(12)
    assert node.retention().sweep().faults == []
    return node.files()


def day_comes(node: Recordings, seconds_before: float = 0) -> Sweep:
    """Their day, and a sweep."""
    node.clock.advance(14 * DAY_S - seconds_before)
    return node.retention().sweep()


def entries(node: Recordings, act: Act) -> int:
    """How many segments the register tells of in this act."""
    found = (parse(raw) for raw in lines(node.register.path))
    return sum(int(line.facts["segments"] or 0) for line in found if line.act == act)


def pixels_left(where: Path) -> list[Path]:
    """Every file below that still plays."""
    return [path for path in where.rglob("*") if path.is_file() and path.stat().st_size > 2000 and path.suffix != ".sqlite3"]


@pytest.mark.parametrize("name", ["deeper/down/here/a.mp4", "hidden/.x", "2026/06/01/holiday.jpg", "b.mp4"])
@pytest.mark.parametrize("soon", [True, False])
def test_a_film_that_was_renamed_or_moved_goes_on_its_day(node: Recordings, films: list[Path], name: str, *, soon: bool) -> None:
    """Anywhere below the recordings, under any name; whether an hourly look saw it or it is missed on its day; and it is told."""
    target = node.root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if soon:
        films[0].rename(target)
        node.clock.advance(3600)
        done = node.retention().sweep()
        assert any(str(target) in fault for fault in done.faults)
        assert [len(play(row.path).times_s) for row in node.rows()] == [row.frames for row in node.rows()]
        done = day_comes(node, 3600)
    else:
        node.clock.advance(14 * DAY_S - 60)
        node.retention().sweep()
        films[0].rename(target)
        node.clock.advance(60)
        done = node.retention().sweep()
        assert any(str(target) in fault for fault in done.faults)
    assert (done.destroyed, done.absent) == (3, 0)
    assert pixels_left(node.root) == []
    assert (entries(node, Act.DESTROYED), entries(node, Act.ABSENT)) == (3, 0)


def test_a_film_that_was_taken_away_is_never_told_as_destroyed(node: Recordings, films: list[Path], tmp_path: Path) -> None:
    """Moved out of the recordings: an alarm, and the register says that it is absent."""
    films[1].rename(tmp_path / "taken.mp4")
    done = day_comes(node)
    assert (done.destroyed, done.absent) == (2, 1)
    assert any(str(films[1]) in fault and "find out who" in fault for fault in done.faults)
    assert (entries(node, Act.DESTROYED), entries(node, Act.ABSENT)) == (2, 1)
    assert node.rows() == []
    assert node.retention().sweep().faults == []


@pytest.mark.parametrize("outside", [True, False])
def test_what_a_film_held_is_destroyed_under_all_its_names(
    node: Recordings, films: list[Path], tmp_path: Path, *, outside: bool
) -> None:
    """A hard link anywhere on the disk keeps nothing; it is an alarm."""
    link = tmp_path / "linked.mp4" if outside else node.root / "linked.mp4"
    os.link(films[0], link)
    done = day_comes(node)
    assert done.destroyed == 3
    assert any("another name" in fault for fault in done.faults)
    assert link.read_bytes() == b""
    assert pixels_left(node.root) == []


def test_a_copy_beside_the_film_goes_with_it(node: Recordings, films: list[Path]) -> None:
    """Told as soon as it is seen, shown in no export, destroyed on the same day."""
    copy = node.root / "keep" / "mine.mp4"
    copy.parent.mkdir()
    shutil.copy(films[0], copy)
    node.clock.advance(3600)
    done = node.retention().sweep()
    assert any("copy" in fault and str(copy) in fault for fault in done.faults)
    assert [row.path for row in node.rows()] == films
    node.clock.advance(14 * DAY_S - 3600)
    node.retention().sweep()
    node.retention().sweep()
    assert pixels_left(node.root) == []


def test_two_films_that_changed_names_each_go_on_their_own_day(node: Recordings, films: list[Path]) -> None:
    """The older one's name holds the younger: nobody goes early, nobody stays."""
    first, last = films[0], films[2]
    aside = node.root / "aside"
    first.rename(aside)
    last.rename(first)
    aside.rename(last)
    node.clock.advance(14 * DAY_S - 9)
    assert node.retention().sweep().destroyed == 1
    assert len(node.files()) == 2
    node.clock.advance(9)
    assert node.retention().sweep().destroyed == 2
    assert pixels_left(node.root) == []


@pytest.mark.parametrize("what", ["file", "link", "directory", "pipe", "hard link"])
def test_what_is_not_ours_is_left_alone_and_told(node: Recordings, films: list[Path], tmp_path: Path, what: str) -> None:
    """Something else in a film's place, a precious file under its name: not a byte of it is touched, and nobody waits for it."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    films[0].rename(tmp_path / "taken.mp4")
    if what == "file":
        films[0].write_bytes(b"precious, too")
    elif what == "link":
        films[0].symlink_to(precious)
    elif what == "directory":
        films[0].mkdir()
    elif what == "pipe":
        os.mkfifo(films[0])
    else:
        os.link(precious, films[0])
    done = day_comes(node)
    assert (done.destroyed, done.absent) == (2, 1)
    assert any(str(films[0]) in fault and "somebody put it there" in fault for fault in done.faults)
    assert precious.read_bytes() == b"precious"
    assert os.path.lexists(films[0])


def test_damage_saves_no_film(node: Recordings, films: list[Path]) -> None:
    """A film whose first bytes rotted says nothing of itself any more: it goes by its length, on its day."""
    data = bytearray(films[0].read_bytes())
    data[:2000] = bytes(2000)
    films[0].write_bytes(bytes(data))
    assert day_comes(node).destroyed == 3
    assert node.files() == []


def test_a_held_film_that_was_moved_stays_held(node: Recordings, films: list[Path]) -> None:
    """Found in its new place, kept there, and destroyed there when it is released."""
    row = node.rows()[0]
    hold = node.holds().add(row.wall_from_ns, row.wall_from_ns + NS, "PV 1", "OPJ")
    target = node.root / "moved.mp4"
    films[0].rename(target)
    done = day_comes(node)
    assert (done.destroyed, target.exists()) == (2, True)
    assert [row.path for row in node.rows()] == [target]
    node.holds().release(hold.id, "Parquet")
    assert node.retention().sweep().destroyed == 1
    assert pixels_left(node.root) == []


def test_a_destruction_that_was_cut_short_accuses_nobody(node: Recordings, films: list[Path]) -> None:
    """The power went between unlinking and writing down: what an earlier sweep had removed is destroyed, not absent."""
    with node.catalog.change() as db:
        db.execute("UPDATE segment SET state = ?", (SegmentState.DESTROYING,))
    films[0].unlink()
    done = day_comes(node)
    assert (done.destroyed, done.absent, done.faults) == (3, 0, [])


def test_files_of_others_below_the_recordings_are_told(node: Recordings, films: list[Path]) -> None:
    """A transcript or an encrypted copy outlives every day: not touched, and named within the hour."""
    foreign = node.root / "notes.txt"
    foreign.write_bytes(b"not ours")
    node.clock.advance(3600)
    done = node.retention().sweep()
    assert any(str(foreign) in fault and "Take it away" in fault for fault in done.faults)
    assert foreign.read_bytes() == b"not ours"
    assert node.files() == films
