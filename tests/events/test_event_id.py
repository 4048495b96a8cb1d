"""Event ids: what a hub folds duplicates by."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.events.event_id import is_event_id, new_event_id

MS = 1_000_000


def test_it_begins_as_the_specification_says() -> None:
    """The specification's own example: 1469918176385 ms is written 01ARYZ6S41."""
    made = new_event_id(1_469_918_176_385 * MS + 999_999)
    assert made.startswith("01ARYZ6S41")
    assert len(made) == 26


@given(st.lists(st.integers(-1, 1 << 70), min_size=2, max_size=20))
def test_ids_sort_by_time_and_none_comes_twice(at_ns: list[int]) -> None:
    """Also before 1970 and far beyond what 48 bits of milliseconds hold: the nearest that can be written."""
    latest_ms = (1 << 48) - 1
    made = [(min(max(0, ns // MS), latest_ms), new_event_id(ns)) for ns in at_ns]
    assert all(is_event_id(text) for _, text in made)
    assert len({text for _, text in made}) == len(made)
    assert [ms for ms, _ in sorted(made, key=lambda one: one[1])] == sorted(ms for ms, _ in made)


@given(st.one_of(st.none(), st.integers(), st.binary(), st.text(), st.from_regex(r"[0-9A-Za-z]{26}\n?", fullmatch=True)))
def test_whatever_else_is_none(other: object) -> None:
    """What a sick disk may hold in its place is told apart."""
    if is_event_id(other):
        assert isinstance(other, str)
        assert len(other) == 26
        assert other[0] <= "7"
        assert not set(other) & set("ILOUabcdefghijklmnopqrstuvwxyz")
