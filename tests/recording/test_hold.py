"""Evidence hold: needs a reference, protects its span and no other, and leaves a trace whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.base.clock import NS
from agent.base.errors import RegisterError, StorageError
from agent.journal.chain import parse
from agent.journal.entry import Act
from agent.journal.parts import lines
from tests.support.recordings import Recordings
from tests.support.stock import lay_in


def acts(node: Recordings) -> list[str]:
    """What the register tells, in order."""
    return [parse(raw).act for raw in lines(node.register.path)]


@pytest.mark.parametrize(
    ("from_ns", "to_ns", "reference", "by", "until_ns", "said"),
    [
        (20, 10, "PV 1", "OPJ", None, "ends before it begins"),
        (10, 20, "  ", "OPJ", None, "legal reference"),
        (10, 20, "PV 1", " ", None, "legal reference"),
        (10, 20, "PV 1", "OPJ", 30, "end in the past"),
    ],
)
def test_a_hold_without_ground_is_refused(
    node: Recordings, from_ns: int, to_ns: int, reference: str, by: str, until_ns: int | None, said: str
) -> None:
    """No span, no reference, no name, an end in the past: one clear line, nothing held, nothing entered."""
    with pytest.raises(StorageError, match=said):
        node.holds().add(from_ns, to_ns, reference, by, until_ns)
    assert (node.holds().all(), acts(node)) == ([], [])


def test_a_hold_is_entered_released_and_entered_again(node: Recordings) -> None:
    """Reference, span and name stand in the register; so does who released it."""
    hold = node.holds().add(10, 20, "PV 2026/77", "OPJ Martin")
    node.holds().release(hold.id, "Parquet")
    held, released = (parse(raw) for raw in lines(node.register.path))
    assert (held.act, held.by, held.facts["reference"]) == (Act.HELD, "OPJ Martin", "PV 2026/77")
    assert (released.act, released.by, released.facts["hold"]) == (Act.RELEASED, "Parquet", hold.id)
    assert node.holds().active() == []


def test_a_hold_is_released_once(node: Recordings) -> None:
    """A second release, or one of a hold that never was, is refused in words."""
    hold = node.holds().add(10, 20, "PV 1", "OPJ")
    node.holds().release(hold.id, "A")
    with pytest.raises(StorageError, match="released already, by A"):
        node.holds().release(hold.id, "B")
    with pytest.raises(StorageError, match="no hold 99"):
        node.holds().release(99, "B")


def test_a_hold_that_cannot_be_entered_is_not_in_force(node: Recordings) -> None:
    """No trace, no hold: whoever asked is told, and may ask again."""
    node.register.path.mkdir()
    with pytest.raises(RegisterError):
        node.holds().add(10, 20, "PV 1", "OPJ")
    assert node.holds().all() == []


def test_a_release_that_cannot_be_entered_does_not_happen(node: Recordings) -> None:
    """Without its trace the footage stays held."""
    hold = node.holds().add(10, 20, "PV 1", "OPJ")
    node.register.path.rename(node.register.path.with_name("elsewhere"))
    node.register.path.mkdir()
    with pytest.raises(RegisterError):
        node.holds().release(hold.id, "A")
    assert node.holds().active() == [hold]


def test_a_program_killed_before_the_entry_is_made_up_for(node: Recordings) -> None:
    """Held, then killed: the hold is in force, and the next sweep enters it, once."""

    class Killed(BaseException):
        pass

    class Dying:
        def enter(self, *_: object) -> None:
            raise Killed

    holds = node.holds()
    holds._journal = Dying()
    with pytest.raises(Killed):
        holds.add(10, 20, "PV 1", "OPJ")
    assert len(node.holds().active()) == 1
    assert acts(node) == []
    node.clock.advance(120)
    node.retention().sweep()
    node.retention().sweep()
    assert acts(node) == [Act.HELD]


@settings(max_examples=40, deadline=None)
@given(from_s=st.integers(-100, 700), length_s=st.integers(1, 500))
def test_a_hold_protects_what_it_touches_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, from_s: int, length_s: int
) -> None:
    """A segment is held when it shares an instant with the hold; its neighbours are not."""
    node = Recordings(tmp_path_factory.mktemp("hold"))
    starts = lay_in(node, 10, files=False)
    from_ns = starts[0] + from_s * NS
    to_ns = from_ns + length_s * NS
    node.holds().add(from_ns, to_ns, "PV 1", "OPJ")
    expected = [start < to_ns and start + 60 * NS > from_ns for start in starts]
    assert [row.held for row in node.rows()] == expected
    node.catalog.close()
