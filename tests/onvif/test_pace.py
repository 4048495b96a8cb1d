"""A flood waits its turn, and a client that asks now and then never does."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.onvif.request_pace import BURST, MOST_A_SECOND, RequestPace


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 0.02), min_size=1, max_size=1500))
def test_no_span_of_time_sees_more_than_its_share(gaps: list[float]) -> None:
    """However requests come, answers within any span are a burst and its seconds' worth at most."""
    pace = RequestPace()
    answered = sorted(at + pace.wait_s(at) for at in accumulate(gaps, initial=1000.0))
    for first in range(0, len(answered), 50):
        for last in range(first, len(answered), 50):
            span = answered[last] - answered[first]
            assert last - first + 1 <= BURST + span * MOST_A_SECOND + 1e-3


def test_who_asks_now_and_then_never_waits() -> None:
    """The two dozen calls of a client that connects, again after a pause."""
    pace = RequestPace()
    assert [pace.wait_s(second + call / 1000) for second in range(1000, 1010) for call in range(24)] == [0.0] * 240
