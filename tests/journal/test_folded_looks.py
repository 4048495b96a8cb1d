"""Looks of one address are folded: the first is entered before it is shown anything, and no number floods the register."""

from __future__ import annotations

import pytest

from agent.base.errors import RegisterError
from agent.journal.entry import Act, Fact
from agent.journal.folded_looks import QUIET_NS, FoldedLooks
from tests.support.journals import Refusing, Remembered
from tests.support.manual_clock import ManualClock

QUIET_S = QUIET_NS / 1e9
HOW: dict[str, Fact] = {"how": "local page"}


def look(looks: FoldedLooks, by: str, seconds: float, clock: ManualClock) -> None:
    """Look for so long."""
    looks.enter(Act.LIVE_BEGUN, by, HOW)
    clock.advance(seconds)
    looks.enter(Act.LIVE_ENDED, by, {**HOW, "seconds": seconds})


def test_a_thousand_looks_of_one_address_are_two_lines() -> None:
    """A page that loads itself again and again: begun once, ended once, with their number and the time they took together."""
    journal, clock = Remembered(), ManualClock()
    looks = FoldedLooks(journal, clock)
    for _ in range(1000):
        look(looks, "10.0.0.7", 2, clock)
        looks.settle()
    assert [act for act, _, _ in journal.entries] == [Act.LIVE_BEGUN]
    clock.advance(QUIET_S)
    looks.settle()
    assert journal.entries[1:] == [(Act.LIVE_ENDED, "10.0.0.7", {**HOW, "looks": 1000, "seconds": 2000.0})]
    look(looks, "10.0.0.7", 1, clock)
    assert [act for act, _, _ in journal.entries][2:] == [Act.LIVE_BEGUN]


def test_each_address_is_told_of_its_own() -> None:
    """Two people who look at once: both are entered at once, and each ends in time."""
    journal, clock = Remembered(), ManualClock()
    looks = FoldedLooks(journal, clock)
    looks.enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    look(looks, "10.0.0.8", 5, clock)
    clock.advance(QUIET_S)
    looks.settle()
    assert [(act, by) for act, by, _ in journal.entries] == [
        (Act.LIVE_BEGUN, "10.0.0.7"),
        (Act.LIVE_BEGUN, "10.0.0.8"),
        (Act.LIVE_ENDED, "10.0.0.8"),
    ]


def test_a_register_that_refuses_refuses_the_look() -> None:
    """Nobody looks without an entry; an end that could not be entered is made up for."""
    clock = ManualClock()
    with pytest.raises(RegisterError):
        FoldedLooks(Refusing(), clock).enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    journal = Remembered()
    looks = FoldedLooks(journal, clock)
    look(looks, "10.0.0.7", 5, clock)
    looks._journal = Refusing()
    with pytest.raises(RegisterError):
        looks.settle(now=True)
    looks._journal = journal
    looks.settle(now=True)
    assert [act for act, _, _ in journal.entries] == [Act.LIVE_BEGUN, Act.LIVE_ENDED]


def test_the_end_of_the_node_is_the_end_of_every_look() -> None:
    """Also of one that is still open then; nothing is entered for it twice."""
    journal, clock = Remembered(), ManualClock()
    looks = FoldedLooks(journal, clock)
    looks.enter(Act.LIVE_BEGUN, "10.0.0.7", HOW)
    looks.settle(now=True)
    looks.enter(Act.LIVE_ENDED, "10.0.0.7", {**HOW, "seconds": 3.0})
    assert [act for act, _, _ in journal.entries] == [Act.LIVE_BEGUN, Act.LIVE_ENDED]
    looks.enter(Act.EXPORTED, "OPJ", {})
    assert journal.entries[-1][0] is Act.EXPORTED
