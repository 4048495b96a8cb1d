"""What a hub may conclude from a sequence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.fleet.sequence import SequenceLedger


@given(st.lists(st.integers(1, 60), min_size=1, max_size=120))
def test_missing_is_what_a_set_says(sequences: list[int]) -> None:
    """Whatever the order and the repeats: missing are those between the first and the highest that never came."""
    ledger = SequenceLedger()
    for sequence in sequences:
        ledger.take(sequence)
    seen = set(sequences)
    expected = [s for s in range(sequences[0], max(sequences)) if s not in seen]
    assert [s for start, end in ledger.holes() for s in range(start, end + 1)] == expected
    assert ledger.missing == len(expected)
    assert ledger.received == len(seen)
    assert ledger.duplicates == len(sequences) - len(seen)


def test_what_the_node_owns_up_to_is_explained() -> None:
    """Holes the node announced as dropped are no longer unexplained."""
    ledger = SequenceLedger()
    for sequence in (1, 2, 10):
        ledger.take(sequence)
    assert ledger.unexplained == 7
    ledger.excuse(3, 9, 7)
    assert ledger.missing == 7
    assert ledger.unexplained == 0
