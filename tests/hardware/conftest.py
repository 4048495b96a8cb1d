"""What the drivers' tests share."""

from __future__ import annotations

import pytest

from tests.support.turned_clock import TurnedClock


@pytest.fixture
def clock() -> TurnedClock:
    """A clock on which nobody really waits."""
    return TurnedClock()
