"""A session that is cut off in its silence says more, one that dies of anything else does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.uplink.keep_alive import LEAST_S, KeepAlive
from tests.support.manual_clock import ManualClock


class Network:
    """A line whose NAT forgets a flow that was quiet for `forgets_s`."""

    def __init__(self, configured_s: int) -> None:
        self.clock = ManualClock()
        self.kept = KeepAlive(configured_s, self.clock)

    def live(self, seconds: float, *, silently: bool) -> None:
        opened_ns = self.clock.monotonic_ns()
        self.clock.advance(seconds)
        self.kept.lost(opened_ns, silently=silently)

    def behind(self, forgets_s: float, sessions: int) -> int:
        """So many sessions one after the other; how many were cut off."""
        breaks = 0
        for _ in range(sessions):
            cut = self.kept.seconds > forgets_s
            breaks += cut
            self.live(2 * self.kept.seconds if cut else 12 * 3600, silently=cut)
        return breaks


@pytest.mark.parametrize(("forgets_s", "found"), [(30, 30), (120, 120), (270, 240), (20, 15), (100, 60)])
def test_it_comes_down_to_what_the_line_remembers(forgets_s: int, found: int) -> None:
    """Two breaks for each step, and none after that."""
    network = Network(240)
    network.behind(forgets_s, 12)
    assert network.kept.seconds == found
    assert network.behind(forgets_s, 50) == 0


@given(st.lists(st.tuples(st.floats(0, 10_000), st.booleans()), max_size=40), st.integers(5, 600))
def test_it_stays_between_the_least_and_what_is_configured(lives: list[tuple[float, bool]], configured_s: int) -> None:
    """Whatever the line does."""
    network = Network(configured_s)
    for seconds, silently in lives:
        network.live(seconds, silently=silently)
        assert min(LEAST_S, configured_s) <= network.kept.seconds <= configured_s


@given(st.lists(st.floats(0, 200), max_size=40))
def test_a_line_that_comes_and_goes_sooner_is_no_reason(lives: list[float]) -> None:
    """A tunnel, a weak cell, a broker that restarts: nobody was quiet for long enough to be forgotten."""
    network = Network(240)
    for seconds in lives:
        network.live(seconds, silently=True)
        network.live(10 * seconds, silently=False)
    assert network.kept.seconds == 240


def test_a_day_without_a_break_tries_more_again() -> None:
    """A unit that was moved to another cell, or another plan."""
    network = Network(240)
    network.behind(30, 12)
    assert network.kept.seconds == 30
    network.live(25 * 3600, silently=False)
    assert network.kept.seconds == 60
