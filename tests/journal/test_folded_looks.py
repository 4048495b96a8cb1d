"""Looks of one address are folded: the first is entered before it is shown anything, and no number floods the register."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.base.errors import RegisterError
from agent.journal.entry import Act, Fact
from agent.journal.folded_looks import QUIET_NS, FoldedLooks
from agent.journal.noted_visits import NotedVisits
from agent.journal.register import Register
from tests.support.journals import Refusing, Remembered
from tests.support.manual_clock import ManualClock

QUIET_S = QUIET_NS / 1e9
HOW: dict[str, Fact] = {"how": "local page"}


@pytest.fixture
def notes(tmp_path: Path) -> NotedVisits:
    """Where visits are noted; none are yet."""
    return NotedVisits(tmp_path / "register.looks")


def look(looks: FoldedLooks, by: str, seconds: float, clock: ManualClock) -> None:
    """Look for so long."""
    looks.enter(Act.LIVE_BEGUN, by, HOW)
    clock.advance(seconds)
    looks.enter(Act.LIVE_ENDED, by, {**HOW, "seconds": seconds})


def test_a_thousand_looks_of_one_address_are_two_lines(notes: NotedVisits) -> None:
    """A page that loads itself again and again: begun once, ended once, with their number and the time they took together."""
    journal, clock = Remembered(), ManualClock()
    looks = FoldedLooks(journal, clock, notes)
    for _ in range(1000):
        look(looks, "10.0.0.7", 2, clock)
        looks.settle()
    assert [act for act, _, _ in journal.entries] == [Act.LIVE_BEGUN]
    clock.advance(QUIET_S)
    looks.settle()
    assert journal.entries[1:] == [(Act.LIVE_ENDED, "10.0.0.7", {**HOW, "looks": 1000, "seconds": 2000.0})]
    look(looks, "10.0.0.7", 1, clock)
    assert [act for act, _, _ in journal.entries][2:] == [Act.LIVE_BEGUN]


def test_each_address_is_told_of_its_own(notes: NotedVisits) -> None:
    """Two people who look at once: both are entered at once, and each ends in time."""
    journal, clock = Remembered(), ManualClock()
    looks = FoldedLooks(journal, clock, notes)
    looks.enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    look(looks, "10.0.0.8", 5, clock)
    clock.advance(QUIET_S)
    looks.settle()
    assert [(act, by) for act, by, _ in journal.entries] == [
        (Act.LIVE_BEGUN, "10.0.0.7"),
        (Act.LIVE_BEGUN, "10.0.0.8"),
        (Act.LIVE_ENDED, "10.0.0.8"),
    ]


def test_a_register_that_refuses_refuses_the_look(notes: NotedVisits) -> None:
    """Nobody looks without an entry; an end that could not be entered is made up for."""
    clock = ManualClock()
    with pytest.raises(RegisterError):
        FoldedLooks(Refusing(), clock, notes).enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    journal = Remembered()
    looks = FoldedLooks(journal, clock, notes)
    look(looks, "10.0.0.7", 5, clock)
    looks._journal = Refusing()
    with pytest.raises(RegisterError):
        looks.settle(now=True)
    looks._journal = journal
    looks.settle(now=True)
    assert [act for act, _, _ in journal.entries] == [Act.LIVE_BEGUN, Act.LIVE_ENDED]


def test_the_end_of_the_node_is_the_end_of_every_look(notes: NotedVisits) -> None:
    """Also of one that is still open then; nothing is entered for it twice."""
    journal, clock = Remembered(), ManualClock()
    looks = FoldedLooks(journal, clock, notes)
    looks.enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    looks.settle(now=True)
    looks.enter(Act.LIVE_ENDED, "10.0.0.7", {**HOW, "seconds": 3.0})
    assert [act for act, _, _ in journal.entries] == [Act.LIVE_BEGUN, Act.LIVE_ENDED]
    looks.enter(Act.EXPORTED, "OPJ", {})
    assert journal.entries[-1][0] is Act.EXPORTED


def test_a_register_that_would_take_no_line_refuses_further_looks_as_well(tmp_path: Path, notes: NotedVisits) -> None:
    """They are folded and write nothing there: whether it would take one is asked before anything is shown."""
    clock = ManualClock()
    register = Register(tmp_path / "register.jsonl", clock)
    looks = FoldedLooks(register, clock, notes, register.ask)
    look(looks, "10.0.0.7", 1, clock)
    before = register.path.read_bytes()
    register.path.unlink()
    register.path.mkdir()
    with pytest.raises(RegisterError):
        looks.enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    register.path.rmdir()
    register.path.write_bytes(before)
    look(looks, "10.0.0.7", 1, clock)
    looks.settle(now=True)
    assert b'"looks":2' in register.path.read_bytes()


def test_a_look_that_cannot_be_noted_is_refused(tmp_path: Path) -> None:
    """Neither the first nor a further one is let in; the register says how many were."""
    place = tmp_path / "state"
    place.mkdir()
    journal, clock = Remembered(), ManualClock()
    looks = FoldedLooks(journal, clock, NotedVisits(place / "register.looks"))
    look(looks, "10.0.0.7", 1, clock)
    (place / "register.looks").unlink()
    place.rmdir()
    for by in ("10.0.0.7", "10.0.0.8"):
        with pytest.raises(RegisterError):
            looks.enter(Act.LIVE_BEGUN, by, HOW)
    place.mkdir()
    looks.settle(now=True)
    assert [(by, facts["looks"]) for act, by, facts in journal.entries if act is Act.LIVE_ENDED] == [
        ("10.0.0.7", 1),
        ("10.0.0.8", 0),
    ]


def test_after_a_kill_the_next_start_enters_what_was_noted(notes: NotedVisits) -> None:
    """How many looks there were, and how long those took that had ended: before anything else is entered, and once."""
    journal, clock = Remembered(), ManualClock()
    killed = FoldedLooks(journal, clock, notes)
    look(killed, "10.0.0.7", 4, clock)
    killed.settle()
    killed.enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    refusing = FoldedLooks(Refusing(), clock, notes)
    with pytest.raises(RegisterError):
        refusing.settle()
    again = FoldedLooks(journal, clock, notes)
    again.enter(Act.LEASE_ENDED, "OPJ", {})
    again.settle(now=True)
    FoldedLooks(journal, clock, notes).settle(now=True)
    assert journal.entries[1:] == [
        (Act.LIVE_ENDED, "10.0.0.7", {**HOW, "looks": 2, "seconds": 4.0, "why": "the node was interrupted"}),
        (Act.LEASE_ENDED, "OPJ", {}),
    ]


def test_a_look_that_had_ended_before_the_kill_keeps_its_end(notes: NotedVisits) -> None:
    """Nobody was interrupted there: why and when it ended is known."""
    journal, clock = Remembered(), ManualClock()
    killed = FoldedLooks(journal, clock, notes)
    killed.enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    killed.enter(Act.LIVE_ENDED, "10.0.0.7", {**HOW, "seconds": 4.0, "why": "left", "ended": "2026-12-01T16:41:39Z"})
    killed.settle()
    FoldedLooks(journal, clock, notes).settle()
    assert journal.entries[1][2] == {**HOW, "looks": 1, "seconds": 4.0, "why": "left", "ended": "2026-12-01T16:41:39Z"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'[{"by": 1}]', b"null", b"[" * 100_000, b"\xff"])
def test_damaged_notes_keep_nobody_from_looking(tmp_path: Path, content: bytes) -> None:
    """What cannot be read is said in the log, and a new visit is entered and noted as ever."""
    path = tmp_path / "register.looks"
    path.write_bytes(content)
    journal, clock = Remembered(), ManualClock()
    looks = FoldedLooks(journal, clock, NotedVisits(path))
    look(looks, "10.0.0.7", 1, clock)
    assert [visit.by for visit in NotedVisits(path).left_behind()] == ["10.0.0.7"]
    looks.settle(now=True)
    assert not path.exists()
