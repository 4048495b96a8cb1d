"""Bounded queues."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.base.queues import BoundedQueue, Closed


@given(st.lists(st.one_of(st.integers(), st.none())), st.integers(1, 5))
def test_newest_win_and_every_loss_is_counted(steps: list[int | None], capacity: int) -> None:
    """Against a plain model: what comes out is the newest, in order, and dropped counts exactly what went missing."""
    lost: list[int] = []
    queue: BoundedQueue[int] = BoundedQueue(capacity, on_drop=lost.append)
    model: deque[int] = deque(maxlen=capacity)
    put = got = 0
    for step in steps:
        if step is None:
            item = queue.get(0)
            assert item == (model.popleft() if model else None)
            got += item is not None
        else:
            put += 1
            queue.put(step)
            model.append(step)
    assert len(queue) == len(model)
    assert queue.dropped == len(lost) == put - got - len(model)


def test_an_offer_drops_nothing() -> None:
    """A producer that can wait is told that there is no room, and nothing is lost."""
    queue: BoundedQueue[int] = BoundedQueue(1)
    assert queue.offer(1)
    assert not queue.offer(2)
    assert not queue.wait_for_room(0)
    assert queue.get(0) == 1
    assert queue.wait_for_room(0)
    assert queue.dropped == 0


def test_a_closed_queue_is_drained_first() -> None:
    """Closing loses nothing that is queued; only then the reader hears of it."""
    queue: BoundedQueue[int] = BoundedQueue(3)
    queue.put(1)
    queue.close()
    assert not queue.put(2)
    assert queue.get(0) == 1
    with pytest.raises(Closed):
        queue.get(10)
